package scorer

import (
	"testing"
	"time"
)

func TestPolicy(t *testing.T) {
	const ms = time.Millisecond
	cases := []struct {
		name             string
		waiting, running int
		age              time.Duration // of the oldest
		want             decision
	}{
		{"nothing waits", 0, 0, 0, decision{}},
		{"idle backend takes one at once", 1, 0, 0, decision{Flush: flushIdle}},
		{"idle backend takes some at once", 3, 0, 1 * ms, decision{Flush: flushIdle}},
		{"a full batch is called full even when idle", 4, 0, 0, decision{Flush: flushFull}},
		{"more than full", 9, 1, 0, decision{Flush: flushFull}},
		{"company is worth waiting for while one runs", 1, 1, 2 * ms, decision{Again: 3 * ms}},
		{"waited exactly long enough", 1, 1, 5 * ms, decision{Flush: flushWaited}},
		{"waited too long", 1, 1, 60 * ms, decision{Flush: flushWaited}},
		{"waited comes before idle", 1, 0, 60 * ms, decision{Flush: flushWaited}},
		{"no worker is free", 9, 2, time.Second, decision{}},
	}
	p := policy{MaxBatch: 4, MaxWait: 5 * ms, Workers: 2}
	now := time.Unix(1000, 0)
	for _, c := range cases {
		s := pending{Waiting: c.waiting, Oldest: now.Add(-c.age), Running: c.running}
		if got := p.decide(s, now); got != c.want {
			t.Errorf("%s: decide = %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestPolicyWithoutWait(t *testing.T) {
	p := policy{MaxBatch: 4, Workers: 2}
	now := time.Unix(1000, 0)
	if got := p.decide(pending{Waiting: 1, Oldest: now, Running: 1}, now); got.Flush != flushWaited {
		t.Errorf("decide = %+v, want a flush", got)
	}
}
