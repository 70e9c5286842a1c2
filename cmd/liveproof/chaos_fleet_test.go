package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/publish"
)

// fleet are two nodes, of which one at a time is killed and started again at its address, with their Redis and their scorer.
type fleet struct {
	t       *testing.T
	count   int // sessions of the run
	done    atomic.Int64
	shards  *redistest.Cluster
	scorer  *brightness
	environ []string
	nodes   []*process

	killed, failovers atomic.Int64
}

// chaosFailures counts what failed.
type chaosFailures struct {
	Killed         int64 `json:"killed"`
	Failovers      int64 `json:"failovers"`
	Scorings       int64 `json:"scorings"`
	FailedScorings int64 `json:"failed_scorings"`
}

func startFleet(t *testing.T, count int) *fleet {
	t.Helper()
	f := &fleet{t: t, count: count, shards: redistest.StartShards(t), scorer: startBrightness(t)}
	f.environ = chaosEnvironment(f.scorer)
	for range 2 {
		f.nodes = append(f.nodes, startNode(t, f.shards.URL(), f.environ...))
	}
	f.scorer.faulty.Store(true)
	return f
}

// chaosEnvironment makes sessions short: three scores decide.
func chaosEnvironment(scorer *brightness) []string {
	return []string{
		"LIVEPROOF_SCORER_MODEL=../../scorer/testdata/tiny.onnx", "LIVEPROOF_SCORER_BACKEND=kserve", "LIVEPROOF_SCORER_KSERVE_TARGET=" + scorer.address,
		"LIVEPROOF_STORE_REPLICAS=1", "LIVEPROOF_INGEST_RATE_PER_IP={per_second: 100000, burst: 100000}",
		"LIVEPROOF_INGEST_RATE_PER_TENANT={per_second: 100000, burst: 100000}", "LIVEPROOF_LOG_LEVEL=WARN",
		"LIVEPROOF_VERDICT_REQUIRE=[passive]", "LIVEPROOF_VERDICT_TAU=200ms", "LIVEPROOF_VERDICT_HOLD=400ms", "LIVEPROOF_VERDICT_MAX_GAP=400ms",
		"LIVEPROOF_VERDICT_MIN_SAMPLES=3", "LIVEPROOF_VERDICT_MIN_SPAN=500ms", "LIVEPROOF_PIPELINE_SCORE_TIMEOUT=500ms",
		"LIVEPROOF_SESSION_DEADLINE=3s", "LIVEPROOF_SESSION_TOKEN_TTL=15s", "LIVEPROOF_SESSION_DISCONNECT_GRACE=1s", "LIVEPROOF_SESSION_IDLE_TIMEOUT=3s",
	}
}

// chaos are the sessions. Three of four clients send a person.
func (f *fleet) chaos(person, nobody *publish.Clip) publish.Chaos {
	progress := newListProgress("chaos", "sessions", testWriter{f.t})
	return publish.Chaos{
		Options: publish.Options{
			Client: publish.Client{APIKey: strings.TrimPrefix(processKey, "bank-a:")}, Mode: liveproof.ModeOnboarding, Sessions: min(48, f.count/4),
			Stagger: 20 * time.Millisecond, Network: &publish.Network{Loss: 0.2, Seed: 1},
		},
		Servers: f.urls(), Count: f.count, Leave: 0.25, Astray: 0.5, Settle: 2 * time.Minute,
		Clip: func(i int) (*publish.Clip, bool) {
			if i%4 == 0 {
				return nobody, true
			}
			return person, false
		},
		Progress: func(now publish.ChaosProgress) {
			f.done.Store(int64(now.Run))
			progress.show(chaosAdvance(f.count, now, f.failures().String()))
		},
	}
}

func (f *fleet) urls() (urls []string) {
	for _, n := range f.nodes {
		urls = append(urls, n.url)
	}
	return urls
}

func (f *fleet) failures() chaosFailures {
	return chaosFailures{f.killed.Load(), f.failovers.Load(), f.scorer.calls.Load(), f.scorer.failed.Load()}
}

func (c chaosFailures) String() string {
	return fmt.Sprintf("%d nodes killed, %d failovers of Redis, %d of %d scorings failed", c.Killed, c.Failovers, c.FailedScorings, c.Scorings)
}

// fail lets Redis and nodes fail in turn, each time when a further part of the sessions is over: 20 times, or more often in a long run.
func (f *fleet) fail(over <-chan struct{}) {
	step := int64(min(max(8, f.count/20), 50))
	for next := step; f.await(next, over); next += step {
		if next/step%2 == 1 {
			f.shards.Kill()
			f.failovers.Add(1)
			f.shards.Revive()
			continue
		}
		f.killNode(int(f.killed.Load()) % len(f.nodes))
	}
}

// await reports whether so many sessions were run before the run was over.
func (f *fleet) await(sessions int64, over <-chan struct{}) bool {
	for f.done.Load() < sessions {
		select {
		case <-over:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

func (f *fleet) killNode(which int) {
	f.nodes[which].kill()
	f.killed.Add(1)
	f.scorer.faulty.Store(false) // a node does not start with scores that are wrong
	f.nodes[which] = restartNode(f.t, f.nodes[which], f.shards.URL(), f.environ...)
	f.scorer.faulty.Store(true)
}

// restartNode starts a node again at the address of one that was killed.
func restartNode(t *testing.T, killed *process, redis string, environ ...string) *process {
	t.Helper()
	return startProcess(t, redis, append(nodeEnvironment(strings.TrimPrefix(killed.url, "http://")), environ...)...)
}
