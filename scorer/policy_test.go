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
		others           int           // crops of other models, in waiting too
		want             decision
	}{
		{"nothing waits", 0, 0, 0, 0, decision{}},
		{"idle backend takes one at once", 1, 0, 0, 0, decision{Flush: flushIdle}},
		{"idle backend takes some at once", 3, 0, 1 * ms, 0, decision{Flush: flushIdle}},
		{"a full batch is called full even when idle", 4, 0, 0, 0, decision{Flush: flushFull}},
		{"more than full", 9, 1, 0, 0, decision{Flush: flushFull}},
		{"company is worth waiting for while one runs", 1, 1, 2 * ms, 0, decision{Again: 3 * ms}},
		{"waited exactly long enough", 1, 1, 5 * ms, 0, decision{Flush: flushWaited}},
		{"waited too long", 1, 1, 60 * ms, 0, decision{Flush: flushWaited}},
		{"waited comes before idle", 1, 0, 60 * ms, 0, decision{Flush: flushWaited}},
		{"idle backend takes the first model's", 3, 0, 0, 2, decision{Flush: flushIdle}},
		{"few of two models are worth waiting for", 3, 1, 2 * ms, 2, decision{Again: 3 * ms}},
		{"many of two models are not full", 4, 1, 2 * ms, 3, decision{Flush: flushTurn}},
		{"full though others wait behind", 9, 1, 2 * ms, 5, decision{Flush: flushFull}},
		{"not full by one, others wait behind", 9, 1, 2 * ms, 6, decision{Flush: flushTurn}},
		{"two models waited", 2, 1, 5 * ms, 1, decision{Flush: flushWaited}},
	}
	p := policy{MaxBatch: 4, MaxWait: 5 * ms}
	now := time.Unix(1000, 0)
	for _, c := range cases {
		s := pending{Waiting: c.waiting, Next: c.waiting - c.others, Oldest: now.Add(-c.age), Running: c.running}
		if got := p.decide(s, now); got != c.want {
			t.Errorf("%s: decide = %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestPolicyWithoutWait(t *testing.T) {
	p := policy{MaxBatch: 4}
	now := time.Unix(1000, 0)
	if got := p.decide(pending{Waiting: 1, Next: 1, Oldest: now, Running: 1}, now); got.Flush != flushWaited {
		t.Errorf("decide = %+v, want a flush", got)
	}
}
