package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/redistest"
)

// Webhooks of real server processes whose receiver is away, or which are killed (kill -9) at the worst moment.

// inbox is a receiver at an address of its own, which is closed while the receiver is down. It takes every message, hangs up without an
// answer the first time that it sees an id, and answers 204 then.
type inbox struct {
	address  string
	verifier *standardwebhooks.Webhook

	mu   sync.Mutex
	got  []letter
	seen map[string]bool
	bad  []error
}

type letter struct {
	id, body string
	Type     string
	Data     struct {
		ID, Result string
		Number     int64
	}
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(webhookSecret)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	in := &inbox{address: listener.Addr().String(), verifier: verifier, seen: map[string]bool{}}
	require.NoError(t, listener.Close())
	t.Setenv("LIVEPROOF_WEBHOOKS_URLS", `{bank-a: "http://`+in.address+`/"}`)
	t.Setenv("LIVEPROOF_WEBHOOKS_SECRETS", `{bank-a: "`+webhookSecret+`"}`)
	t.Setenv("LIVEPROOF_WEBHOOKS_ALLOW_PRIVATE", "true")
	return in
}

// open lets messages in until the test's end.
func (in *inbox) open(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", in.address)
	require.NoError(t, err)
	server := &http.Server{Handler: in, ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { _ = server.Close(); serving.Wait() })
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.verifier.Verify(body, r.Header); err != nil {
		in.bad = append(in.bad, err)
	}
	l := letter{id: r.Header.Get("webhook-id"), body: string(body)}
	_ = json.Unmarshal(body, &l)
	in.got = append(in.got, l)
	if !in.seen[l.id] {
		in.seen[l.id] = true
		panic(http.ErrAbortHandler) // taken, and the answer is lost: it comes again
	}
	w.WriteHeader(http.StatusNoContent)
}

// answered are the messages in the order in which each was first taken. It checks that every one came again under its id, unchanged.
func (in *inbox) answered(t *testing.T) (first []letter) {
	t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	require.Empty(t, in.bad)
	times := map[string]int{}
	bodies := map[string]string{}
	for _, l := range in.got {
		require.NotContains(t, l.id, ".")
		if times[l.id]++; times[l.id] == 1 {
			bodies[l.id], first = l.body, append(first, l)
		}
		require.Equal(t, bodies[l.id], l.body, l.id)
	}
	return slices.DeleteFunc(first, func(l letter) bool { return times[l.id] < 2 })
}

func idsOfLetters(letters []letter) (ids []string) {
	for _, l := range letters {
		ids = append(ids, l.id)
	}
	return ids
}

// await waits until every wanted message was taken and answered, and no other.
func (in *inbox) await(t *testing.T, want []string) []letter {
	t.Helper()
	require.Eventually(t, func() bool { return len(in.answered(t)) >= len(want) }, 2*time.Minute, 100*time.Millisecond, "want %v", want)
	time.Sleep(2 * time.Second) // for one that is too many
	got := in.answered(t)
	require.ElementsMatch(t, want, idsOfLetters(got))
	return got
}

func redisOf(t *testing.T, db *redistest.Server) *redis.Client {
	t.Helper()
	opt, err := redis.ParseURL(db.URL())
	require.NoError(t, err)
	client := redis.NewClient(opt)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// changesIn are the events of a session in the stream, as event#number.
func changesIn(t *testing.T, db *redis.Client, session string) (changes []string) {
	t.Helper()
	events, err := db.XRange(context.Background(), "liveproof:events", "-", "+").Result()
	require.NoError(t, err)
	for _, e := range events {
		if e.Values["session"] == session {
			changes = append(changes, fmt.Sprintf("%v#%v", e.Values["event"], e.Values["number"]))
		}
	}
	return changes
}

// TestReceiverIsDown: calls and sessions end while their receiver is down, and the server is killed in the middle of that time. Afterwards
// every message comes, with its one id, and the numbers tell the order. With TEST_OUTAGE=1m (make test-webhooks) the receiver is down
// for a minute, and the pauses are those of the default configuration.
func TestReceiverIsDown(t *testing.T) {
	clip := person(t, "person_A_640x480.mjpeg", "20")
	outage := 4 * time.Second
	if text := os.Getenv("TEST_OUTAGE"); text != "" {
		var err error
		outage, err = time.ParseDuration(text)
		require.NoError(t, err)
	} else {
		t.Setenv("LIVEPROOF_WEBHOOKS_FIRST_RETRY", "100ms")
		t.Setenv("LIVEPROOF_WEBHOOKS_MAX_RETRY", "1s")
	}
	in, db := newInbox(t), redistest.Start(t)
	t.Setenv("LIVEPROOF_SESSION_TOKEN_TTL", "5s")
	first := startProcess(t, db.URL())
	var want []string
	for range 5 {
		want = append(want, first.create("").ID+"-session-expired")
	}
	call := first.create(`{"mode":"call"}`)
	leave := first.publish(call, clip)
	first.await(call.ID, "live", func(v sessionView) bool { return v.Verdict == "live" })
	leave()
	first.await(call.ID, "the end", sessionView.terminal)
	down := time.Now()
	time.Sleep(outage / 2)
	first.kill()
	second := startProcess(t, db.URL())
	want = append(want, second.create("").ID+"-session-expired")
	time.Sleep(time.Until(down.Add(outage)))
	require.Empty(t, in.answered(t))

	in.open(t)
	order := []string{}
	for _, change := range changesIn(t, redisOf(t, db), call.ID) {
		event, number, _ := strings.Cut(change, "#")
		switch event {
		case "verdict":
			order = append(order, call.ID+"-call-changed-"+number)
		case "decided":
			order = append(order, call.ID+"-session-decided")
		}
	}
	require.GreaterOrEqual(t, len(order), 2)
	got := in.await(t, append(want, order...))
	ofCall := slices.DeleteFunc(got, func(l letter) bool { return l.Data.ID != call.ID })
	slices.SortFunc(ofCall, func(a, b letter) int { return int(a.Data.Number - b.Data.Number) })
	require.Equal(t, order, idsOfLetters(ofCall), "the numbers tell the order")
}

// redisProxy stands between a server and Redis, and kills the server when it is about to add a certain event to the stream.
type redisProxy struct {
	socket, target string
	event          []byte
	deliver        bool // Redis still gets the event; the server does not learn it
	kill           atomic.Pointer[func()]
	frozen         atomic.Bool // nothing passes any more, in either direction
	struck         chan struct{}
}

func startRedisProxy(t *testing.T, db *redistest.Server, event string, deliver bool) *redisProxy {
	t.Helper()
	p := &redisProxy{
		socket: filepath.Join(filepath.Dir(strings.TrimPrefix(db.URL(), "unix://")), "proxy"), target: strings.TrimPrefix(db.URL(), "unix://"),
		event: []byte("\r\n" + event + "\r\n"), deliver: deliver, struck: make(chan struct{}),
	}
	listener, err := net.Listen("unix", p.socket)
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", p.target)
			if err != nil {
				_ = client.Close()
				continue
			}
			serving.Go(func() { p.pass(server, client, p.strike) })
			serving.Go(func() { p.pass(client, server, func([]byte) bool { return false }) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	return p
}

func (p *redisProxy) url() string { return "unix://" + p.socket }

// pass copies until either side closes.
func (p *redisProxy) pass(to, from net.Conn, strikes func([]byte) bool) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 1<<20)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		deadly := strikes(buffer[:n])
		if (!p.frozen.Load() || deadly && p.deliver) && n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if deadly {
			(*p.kill.Load())()
			close(p.struck)
			return
		}
	}
}

// strike reports whether the command adds the event, once.
func (p *redisProxy) strike(command []byte) bool {
	adds := bytes.Contains(bytes.ToLower(command), []byte("\r\nxadd\r\n")) && bytes.Contains(command, p.event)
	return adds && p.kill.Load() != nil && p.frozen.CompareAndSwap(false, true)
}

// TestServerKilledBetweenVerdictAndEvent: a server writes the verdict and is killed before it adds the event. The script that wrote the
// verdict wrote the event beside it, so another server adds it, and the webhook comes.
func TestServerKilledBetweenVerdictAndEvent(t *testing.T) {
	for event, run := range map[string]func(t *testing.T, p *process) (id string, leave func()){
		"expired": func(_ *testing.T, p *process) (string, func()) { return p.create("").ID, func() {} },
		"decided": func(t *testing.T, p *process) (string, func()) {
			clip := person(t, "person_A_640x480.mjpeg", "20")
			made := p.create("")
			return made.ID, p.publish(made, clip)
		},
	} {
		t.Run(event, func(t *testing.T) {
			in, db := newInbox(t), redistest.Start(t)
			in.open(t)
			t.Setenv("LIVEPROOF_WEBHOOKS_FIRST_RETRY", "100ms")
			t.Setenv("LIVEPROOF_SESSION_TOKEN_TTL", "5s")
			proxy := startRedisProxy(t, db, event, false)
			killed := startProcess(t, proxy.url())
			kill := killed.kill
			proxy.kill.Store(&kill)
			id, leave := run(t, killed)
			defer leave()
			select {
			case <-proxy.struck:
			case <-time.After(2 * time.Minute):
				require.Fail(t, "the server has not written the end")
			}
			client := redisOf(t, db)
			record, err := client.HGetAll(t.Context(), "liveproof:{"+id+"}:session").Result()
			require.NoError(t, err)
			require.Equal(t, event, record["state"], "the verdict is written")
			require.Contains(t, record["untold"], event+"#", "and the event beside it")
			require.NotContains(t, strings.Join(changesIn(t, client, id), " "), event, "and the stream does not have it")
			require.Empty(t, in.answered(t))

			startProcess(t, db.URL())
			in.await(t, []string{id + "-session-" + event})
			changes := changesIn(t, client, id)
			require.Equal(t, event, strings.Split(changes[len(changes)-1], "#")[0])
			left, err := client.HExists(t.Context(), "liveproof:{"+id+"}:session", "untold").Result()
			require.NoError(t, err)
			require.False(t, left, "nothing is left to tell")
		})
	}
}

// TestServerKilledAfterAnEvent: a server has added a call's change to the stream, and is killed before it has noted that. Another server
// adds it again; the message has the same id, so that the receiver knows it.
func TestServerKilledAfterAnEvent(t *testing.T) {
	clip := person(t, "person_A_640x480.mjpeg", "20")
	in, db := newInbox(t), redistest.Start(t)
	in.open(t)
	t.Setenv("LIVEPROOF_WEBHOOKS_FIRST_RETRY", "100ms")
	proxy := startRedisProxy(t, db, "verdict", true)
	killed := startProcess(t, proxy.url())
	call := killed.create(`{"mode":"call"}`)
	kill := killed.kill
	proxy.kill.Store(&kill)
	leave := killed.publish(call, clip)
	defer leave()
	select {
	case <-proxy.struck:
	case <-time.After(2 * time.Minute):
		require.Fail(t, "the call has no verdict")
	}
	client := redisOf(t, db)
	told := []string{"created#1", "connecting#2", "streaming#3", "verdict#4"}
	require.Eventually(t, func() bool { return slices.Equal(told, changesIn(t, client, call.ID)) }, time.Minute, 10*time.Millisecond, "Redis has the event")
	startProcess(t, db.URL())
	got := in.await(t, []string{call.ID + "-call-changed-4", call.ID + "-call-lost"})
	require.Equal(t, append(told, "verdict#4", "expired#5"), changesIn(t, client, call.ID), "it was told twice")
	require.Equal(t, "pass", got[0].Data.Result)
	require.Equal(t, "retry", got[1].Data.Result)
}
