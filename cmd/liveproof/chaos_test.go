package main

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/publish"
)

// TestChaos: short sessions run through two nodes, a Redis Cluster and an inference server, with 20 % of the packets lost, while nodes are killed, Redis fails
// over, scores fail, and clients vanish or come to the wrong node. The ledger of what clients saw agrees with the store: no session is lost, none ended
// twice, none without a face is live. TEST_CHAOS is the number of sessions, TEST_CHAOS_LEDGER names a file for the ledger's sums.
func TestChaos(t *testing.T) {
	t.Parallel()
	text := os.Getenv("TEST_CHAOS")
	if text == "" {
		t.Skip("TEST_CHAOS is not set: `make test-chaos` sets it, and `make test` runs that")
	}
	count, err := strconv.Atoi(text)
	require.NoError(t, err)
	person, nobody := chaosClip(t, chaosPerson(t)...), chaosClip(t, chaosNobody...)
	f := startFleet(t, count)
	over := make(chan struct{})
	var failing sync.WaitGroup
	failing.Go(func() { f.fail(over) })
	begun := time.Now()
	entries, err := f.chaos(person, nobody).Run(t.Context())
	close(over)
	failing.Wait()
	require.NoError(t, err)
	sums := chaosSums{publish.SumUp(entries), f.failures(), math.Round(time.Since(begun).Seconds())}
	sums.write(t)
	require.Empty(t, sums.Faulty)
	require.Positive(t, sums.Killed)
	require.Positive(t, sums.Failovers)
	require.Positive(t, sums.FailedScorings)
	if sums.Stored[liveproof.OutcomeLive] == 0 {
		t.Log("no session became live: the machine was too busy to judge one")
	}
	requireOneEnd(t, f.shards, entries)
}

// chaosSums is what a run came to.
type chaosSums struct {
	publish.Ledger
	chaosFailures
	Seconds float64 `json:"seconds"`
}

func (s chaosSums) write(t *testing.T) {
	t.Helper()
	ledger, err := json.MarshalIndent(s, "", "  ")
	require.NoError(t, err)
	t.Logf("%s", ledger)
	if file := os.Getenv("TEST_CHAOS_LEDGER"); file != "" {
		require.NoError(t, os.WriteFile(file, ledger, 0o600))
	}
}

// chaosSize keeps the sessions small. A key frame comes each second, as none comes when the server asks for one.
const chaosSize = "scale=320:240"

// chaosPerson has a face of 160 pixels: twice the least that is scored.
func chaosPerson(t testing.TB) []string {
	return []string{"-stream_loop", "9", "-f", "mjpeg", "-r", "30", "-i", shared(t, "media/person_A_640x480.mjpeg"),
		"-vf", "crop=480:360:110:60," + chaosSize + ",noise=alls=3:allf=t"}
}

var chaosNobody = []string{"-f", "lavfi", "-i", emptyPicture + "," + chaosSize + ",noise=alls=8:allf=t,format=yuv420p"}

func chaosClip(t testing.TB, input ...string) *publish.Clip {
	t.Helper()
	clip, err := publish.ReadIVF(encodeAs(t, []string{"-r", "15", "-b:v", "300k", "-g", "15"}, append(input, "-t", "5")...))
	require.NoError(t, err)
	return clip
}

// requireOneEnd: the streams of events have one end of every session, under one number.
func requireOneEnd(t *testing.T, shards *redistest.Cluster, entries []publish.Entry) {
	t.Helper()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: strings.Split(strings.TrimPrefix(shards.URL(), "redis-cluster://"), ",")})
	defer client.Close()
	ends := map[string]map[string]bool{}
	for n := range 16 {
		stream := "liveproof:events"
		if n > 0 {
			stream = "liveproof:{events:" + strconv.Itoa(n) + "}"
		}
		events, err := client.XRange(t.Context(), stream, "-", "+").Result()
		require.NoError(t, err)
		for _, e := range events {
			event, _ := e.Values["event"].(string)
			id, _ := e.Values["session"].(string)
			if !liveproof.State(event).Terminal() {
				continue
			}
			if ends[id] == nil {
				ends[id] = map[string]bool{}
			}
			number, _ := e.Values["number"].(string)
			ends[id][event+"#"+number] = true
		}
	}
	for _, e := range entries {
		if e.Session != "" {
			require.Len(t, ends[e.Session], 1, "%s: %v", e.Session, ends[e.Session])
		}
	}
}
