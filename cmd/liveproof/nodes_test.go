package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/publish"
)

// startNode is startProcess at an address that its clients are told.
func startNode(t *testing.T, redis string, environ ...string) *process {
	t.Helper()
	address := "127.0.0.1:" + strconv.Itoa(redistest.FreePort(t))
	return startProcess(t, redis, append(nodeEnvironment(address), environ...)...)
}

func nodeEnvironment(address string) []string {
	return []string{
		"LIVEPROOF_PORT_TEST_LISTEN=" + address, "LIVEPROOF_INGEST_PUBLIC_URL=http://" + address,
		"LIVEPROOF_INGEST_TOKEN_SECRET=0123456789abcdef0123456789abcdef",
	}
}

// reached is a session of another node whose client is told the address of this one, as by a load balancer in front of both.
func (p *process) reached(made createdSession) createdSession {
	at := strings.Index(made.WHIPURL, "/v1/")
	made.WHIPURL = p.url + made.WHIPURL[at:]
	return made
}

type readyView struct {
	Ready, Draining bool
	Sessions        int
}

func (s *server) readyz() (v readyView, status int) {
	s.t.Helper()
	return v, s.api(http.MethodGet, "/readyz", "", &v)
}

// TestNodes: two server processes share one Redis, each at an address of its own. Clients that come to the wrong one, by WHIP and by
// WebSocket, are sent to the owner; every node reads, lists and deletes; a node that is told to stop finishes its sessions and takes no more.
func TestNodes(t *testing.T) {
	t.Parallel()
	clip := person(t, "person_A_640x480.mjpeg", "20")
	db := redistest.Start(t)
	owner, other := startNode(t, db.URL(), "LIVEPROOF_SESSION_DRAIN_TIMEOUT=5m"), startNode(t, db.URL())
	call := owner.create(`{"mode":"call"}`)
	require.True(t, strings.HasPrefix(call.WHIPURL, owner.url+"/"), call.WHIPURL)
	peer := connectAt(t, other, call, publish.SignallingWebSocket, clip)
	other.await(call.ID, "live, as every node sees it", func(v sessionView) bool { return v.Verdict == "live" })
	ready, _ := owner.readyz()
	require.Equal(t, readyView{Ready: true, Sessions: 1}, ready)
	ready, _ = other.readyz()
	require.Zero(t, ready.Sessions)

	var list struct{ Sessions []struct{ ID string } }
	require.Equal(t, http.StatusOK, other.api(http.MethodGet, "/v1/sessions", "", &list))
	require.Len(t, list.Sessions, 1)
	require.Equal(t, http.StatusNoContent, other.api(http.MethodDelete, "/v1/sessions/"+call.ID, "", nil))
	require.Equal(t, http.StatusNotFound, owner.api(http.MethodGet, "/v1/sessions/"+call.ID, "", nil))
	select {
	case <-peer.Ended():
	case <-time.After(time.Minute):
		require.Fail(t, "the owner has not ended the deleted session")
	}

	last := owner.create(`{"mode":"call"}`)
	peer = connectAt(t, other, last, publish.SignallingWHIP, clip)
	other.await(last.ID, "live", func(v sessionView) bool { return v.Verdict == "live" })
	require.NoError(t, owner.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { ready, _ := owner.readyz(); return ready.Draining }, time.Minute, 10*time.Millisecond)
	require.Equal(t, http.StatusServiceUnavailable, owner.api(http.MethodPost, "/v1/sessions", "", nil))
	other.create("")
	require.NoError(t, peer.Close(t.Context()), "WHIP's Location is at the owner")
	v := other.await(last.ID, "its verdict", sessionView.terminal)
	require.Equal(t, "decided", v.State)
	require.Equal(t, "live", v.Verdict)
	require.NoError(t, owner.cmd.Wait(), "it ends by itself, without an error")
}

// connectAt publishes until the test ends, by way of a node that may not be the session's own.
func connectAt(t *testing.T, at *process, made createdSession, via publish.Signalling, clip *publish.Clip) *publish.Publisher {
	t.Helper()
	made = at.reached(made)
	signal := "ws" + strings.TrimPrefix(strings.TrimSuffix(made.WHIPURL, "whip"), "http") + "signal"
	ctx, cancel := context.WithCancel(context.Background())
	p, err := publish.Connect(ctx, publish.Options{Signalling: via},
		publish.Session{ID: made.ID, ClientToken: made.ClientToken, WHIPURL: made.WHIPURL, SignalURL: signal}, clip)
	require.NoError(t, err)
	var sending sync.WaitGroup
	sending.Go(func() { _ = p.Send(ctx, clip) })
	t.Cleanup(func() { cancel(); sending.Wait(); _ = p.Abandon() })
	return p
}
