package livekit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
	"github.com/twitchtv/twirp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func valid() Config {
	return Config{
		URL: "wss://livekit.example.org", Key: "k", Secret: "s", Room: "r", As: "liveproof", Tenant: "default",
		Attributes: true, Data: true, IdleTimeout: 10 * time.Second, RecordTTL: time.Hour,
	}
}

func TestConfigIsChecked(t *testing.T) {
	require.NoError(t, valid().Validate())
	for want, spoil := range map[string]func(*Config){
		"url":        func(c *Config) { c.URL = "livekit.example.org" },
		"api-key":    func(c *Config) { c.Key = "" },
		"api-secret": func(c *Config) { c.Secret = "" },
		"room":       func(c *Config) { c.Room = "" },
		"as":         func(c *Config) { c.As = strings.Repeat("a", 257) },
		"identity":   func(c *Config) { c.Watch = []string{"liveproof"} },
	} {
		c := valid()
		spoil(&c)
		require.ErrorContains(t, c.Validate(), want+":")
	}
}

func TestWhoIsWatched(t *testing.T) {
	all, named := valid(), valid()
	named.Watch = []string{"bob"}
	for _, r := range []struct {
		cfg      Config
		identity string
		kind     livekit.ParticipantInfo_Kind
		want     bool
	}{
		{all, "alice", livekit.ParticipantInfo_STANDARD, true},
		{all, "recorder", livekit.ParticipantInfo_EGRESS, false},
		{all, "bot", livekit.ParticipantInfo_AGENT, false},
		{all, "liveproof", livekit.ParticipantInfo_STANDARD, false},
		{named, "alice", livekit.ParticipantInfo_STANDARD, false},
		{named, "bob", livekit.ParticipantInfo_INGRESS, true},
	} {
		require.Equal(t, r.want, r.cfg.watches(r.identity, r.kind), "%s %v", r.identity, r.cfg.Watch)
	}
}

func TestExternalID(t *testing.T) {
	require.Equal(t, "room/alice", externalID("room", "alice"))
	require.Equal(t, "r?m/al?ce?", externalID("r\nm", "al\u202ece\u0000"))
	require.Len(t, []rune(externalID("room", strings.Repeat("ü", 300))), 128)
}

// server is LiveKit's API as far as it is told verdicts.
type server struct {
	mu         sync.Mutex
	attributes []map[string]string
	data       []Message
	err        error
}

func (s *server) ListParticipants(context.Context, *livekit.ListParticipantsRequest) (*livekit.ListParticipantsResponse, error) {
	return nil, s.err
}

func (s *server) UpdateParticipant(_ context.Context, r *livekit.UpdateParticipantRequest) (*livekit.ParticipantInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	s.attributes = append(s.attributes, r.GetAttributes())
	return &livekit.ParticipantInfo{}, nil
}

func (s *server) SendData(_ context.Context, r *livekit.SendDataRequest) (*livekit.SendDataResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var m Message
	err := json.Unmarshal(r.GetData(), &m)
	s.data = append(s.data, m)
	return &livekit.SendDataResponse{}, err
}

func (s *server) newest() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.attributes) == 0 {
		return nil
	}
	return s.attributes[len(s.attributes)-1]
}

func message(track string, v liveproof.Outcome, final bool) Message {
	return Message{Session: "S", Identity: "alice", Track: track, Verdict: v, Final: final}
}

// TestTheWorstCameraIsTold: who shows a second camera beside a live one is not live by attributes, and every change is a message.
func TestTheWorstCameraIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &server{}
		tell := newTeller(valid(), api, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go tell.run(ctx)
		for _, step := range []struct {
			track string
			v     liveproof.Outcome
			final bool
			want  string
		}{
			{"TR_1", liveproof.OutcomePending, false, "pending"},
			{"TR_1", liveproof.OutcomeLive, false, "live"},
			{"TR_2", liveproof.OutcomePending, false, "pending"},
			{"TR_2", liveproof.OutcomeSpoof, false, "spoof"},
			{"TR_2", liveproof.OutcomeInconclusive, true, "inconclusive"},
		} {
			tell.tell(message(step.track, step.v, step.final))
			synctest.Wait()
			require.Equal(t, step.want, api.newest()["liveproof.verdict"])
		}
		tell.gone("alice", "TR_2")
		time.Sleep(refresh + time.Millisecond)
		synctest.Wait()
		require.Equal(t, "live", api.newest()["liveproof.verdict"])
		require.Len(t, api.data, 5)
		require.Equal(t, liveproof.ResultFail, api.data[3].Result)
		stop()
		synctest.Wait()
	})
}

// TestVerdictsAreRenewed: the verdict of a session that runs is told again before it holds no longer, that of one that has ended is not.
func TestVerdictsAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &server{}
		tell := newTeller(valid(), api, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go tell.run(ctx)
		tell.tell(message("TR_1", liveproof.OutcomeLive, false))
		synctest.Wait()
		first := api.newest()["liveproof.valid_until"]
		time.Sleep(refresh + time.Second)
		synctest.Wait()
		require.Greater(t, api.newest()["liveproof.valid_until"], first)
		tell.tell(message("TR_1", liveproof.OutcomeLive, true))
		synctest.Wait()
		count := len(api.attributes)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, api.attributes, count)
		require.Equal(t, "true", api.newest()["liveproof.final"])
		stop()
		synctest.Wait()
	})
}

// TestWritesAreRepeated: attributes that the server did not take are written with the next refresh.
func TestWritesAreRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &server{err: twirp.NewError(twirp.Unavailable, "away")}
		tell := newTeller(valid(), api, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go tell.run(ctx)
		tell.tell(message("TR_1", liveproof.OutcomeSpoof, true))
		synctest.Wait()
		require.Empty(t, api.attributes)
		api.mu.Lock()
		api.err = nil
		api.mu.Unlock()
		time.Sleep(refresh + time.Millisecond)
		synctest.Wait()
		require.Equal(t, "spoof", api.newest()["liveproof.verdict"])
		stop()
		synctest.Wait()
	})
}

func TestAccessIsChecked(t *testing.T) {
	api := &server{}
	a := &Agent{cfg: valid(), rooms: api}
	for _, r := range []struct{ answer, want error }{
		{nil, nil},
		{twirp.NewError(twirp.NotFound, "no such room"), nil},
		{twirp.NewError(twirp.Unauthenticated, "permissions denied"), ErrRefused},
		{twirp.NewError(twirp.PermissionDenied, "not an admin"), ErrRefused},
	} {
		api.err = r.answer
		require.ErrorIs(t, a.checkAccess(t.Context()), r.want)
	}
	api.err = errors.New("connection refused")
	require.ErrorContains(t, a.checkAccess(t.Context()), "does not answer")
}

// supervisor refuses, or lets sessions wait for their peer's end.
type supervisor struct {
	refusal error
	booked  chan liveproof.SessionID
	agent   *Agent
}

func (s *supervisor) Book(id liveproof.SessionID) error { s.booked <- id; return s.refusal }

func (s *supervisor) Unbook(liveproof.SessionID) {}

func (s *supervisor) Connect(_ context.Context, session liveproof.Session, _ string, l live.Listener, _ func(webrtc.ICECandidateInit)) (*live.Connection, error) {
	p, err := s.agent.deps.Peers.Dial(session.ID, nil)
	if err != nil {
		return nil, err
	}
	go func() {
		<-p.Done()
		session.Verdict = liveproof.Inconclusive(liveproof.ReasonOf(p.Err()))
		l.Ended(session)
	}()
	return nil, nil
}

type sessions struct{}

func (sessions) Create(_ context.Context, s liveproof.Session, _, _ string) (liveproof.Session, bool, error) {
	return s, false, nil
}

func newTestWatch(t *testing.T, s *supervisor, layers ...*livekit.VideoLayer) (*watch, *[]livekit.VideoQuality) {
	t.Helper()
	tracks, err := rtc.NewTracks(rtc.DefaultConfig(), nil)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	a := &Agent{
		cfg: valid(), log: log, supervisor: s, teller: newTeller(valid(), &server{}, log),
		deps: Deps{Sessions: sessions{}, Tracks: tracks, Peers: &Peers{}, Log: log, Require: func(string, liveproof.Mode, []liveproof.Evidence) []liveproof.Evidence { return nil }},
	}
	s.agent = a
	var asked []livekit.VideoQuality
	return a.newWatch(source{
		identity: "alice", sid: "TR_1", codec: webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "video/VP8"}, PayloadType: 96},
		layers: func() []*livekit.VideoLayer { return layers }, requestKeyFrame: func() {},
		choose: func(q livekit.VideoQuality) error { asked = append(asked, q); return nil },
	}), &asked
}

// event is a webhook as LiveKit signs it.
func event(t *testing.T, key, secret string, e *livekit.WebhookEvent) *http.Request {
	t.Helper()
	body, err := protojson.Marshal(e)
	require.NoError(t, err)
	sum := sha256.Sum256(body)
	token, err := auth.NewAccessToken(key, secret).SetValidFor(time.Minute).SetSha256(base64.StdEncoding.EncodeToString(sum[:])).ToJWT()
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Authorization", token)
	return r
}

// TestWebhooksAreChecked: only what the key has signed, unaltered, is taken, and only what concerns a camera to watch.
func TestWebhooksAreChecked(t *testing.T) {
	cfg := valid()
	cfg.Room = ""
	d, err := NewDispatcher(cfg, Deps{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	room, alice := &livekit.Room{Name: "r"}, &livekit.ParticipantInfo{Identity: "alice"}
	joined := &livekit.WebhookEvent{Event: "participant_joined", Room: room, Participant: alice}
	altered := event(t, "k", "s", joined)
	altered.Body = io.NopCloser(strings.NewReader("{}"))
	for name, r := range map[string]struct {
		request *http.Request
		want    int
	}{
		"no signature":   {httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")), http.StatusUnauthorized},
		"another secret": {event(t, "k", "other", joined), http.StatusUnauthorized},
		"another key":    {event(t, "other", "s", joined), http.StatusUnauthorized},
		"altered":        {altered, http.StatusUnauthorized},
		"GET":            {httptest.NewRequest(http.MethodGet, "/", nil), http.StatusMethodNotAllowed},
		"before it runs": {event(t, "k", "s", joined), http.StatusServiceUnavailable},
		"the watcher":    {event(t, "k", "s", &livekit.WebhookEvent{Event: "participant_joined", Room: room, Participant: &livekit.ParticipantInfo{Identity: "liveproof"}}), http.StatusOK},
		"another event":  {event(t, "k", "s", &livekit.WebhookEvent{Event: "participant_left", Room: room, Participant: alice}), http.StatusOK},
		"a microphone":   {event(t, "k", "s", &livekit.WebhookEvent{Event: "track_published", Room: room, Participant: alice, Track: &livekit.TrackInfo{Source: livekit.TrackSource_MICROPHONE}}), http.StatusOK},
		"a camera":       {event(t, "k", "s", &livekit.WebhookEvent{Event: "track_published", Room: room, Participant: alice, Track: &livekit.TrackInfo{Source: livekit.TrackSource_CAMERA}}), http.StatusServiceUnavailable},
	} {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r.request)
		require.Equal(t, r.want, w.Code, name)
	}
}

func packet(t *testing.T, number uint16) []byte {
	t.Helper()
	raw, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: number, SSRC: 7}, Payload: []byte{0x10, 0}}).Marshal()
	require.NoError(t, err)
	return raw
}

// TestSessionsOfATrack: a track that falls silent ends its session as idle, and begins another one when it comes again; the end of the track ends that.
func TestSessionsOfATrack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &supervisor{booked: make(chan liveproof.SessionID, 100)}
		w, _ := newTestWatch(t, s)
		w.take(t.Context(), packet(t, 1), time.Now())
		synctest.Wait()
		require.Len(t, s.booked, 1)
		first := w.peer
		time.Sleep(w.agent.cfg.IdleTimeout - time.Second)
		w.take(t.Context(), packet(t, 2), time.Now())
		time.Sleep(w.agent.cfg.IdleTimeout + time.Second)
		require.ErrorIs(t, first.Err(), liveproof.ErrIdle)
		w.take(t.Context(), packet(t, 3), time.Now())
		require.Len(t, s.booked, 1, "not at once after an end")
		time.Sleep(pause)
		w.take(t.Context(), packet(t, 4), time.Now())
		synctest.Wait()
		require.Len(t, s.booked, 2)
		require.NoError(t, w.peer.Err())
		w.stop()
		require.ErrorIs(t, w.peer.Err(), liveproof.ErrDisconnected)
	})
}

// TestRefusedTracksWait: where no session fits, the track is tried again after the time that the supervisor names, and not with every packet.
func TestRefusedTracksWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &supervisor{booked: make(chan liveproof.SessionID, 100), refusal: &live.Refusal{RetryAfter: 20 * time.Second}}
		w, _ := newTestWatch(t, s)
		for n := range uint16(190) {
			w.take(t.Context(), packet(t, n), time.Now())
			synctest.Wait()
			time.Sleep(100 * time.Millisecond)
		}
		require.Len(t, s.booked, 1)
		time.Sleep(2 * time.Second)
		w.take(t.Context(), packet(t, 200), time.Now())
		synctest.Wait()
		require.Len(t, s.booked, 2)
		w.stop()
	})
}

func TestLayersAreChosen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		low := &livekit.VideoLayer{Quality: livekit.VideoQuality_LOW, Width: 320, Height: 180}
		medium := &livekit.VideoLayer{Quality: livekit.VideoQuality_MEDIUM, Width: 640, Height: 480}
		high := &livekit.VideoLayer{Quality: livekit.VideoQuality_HIGH, Width: 1280, Height: 720}
		w, asked := newTestWatch(t, &supervisor{}, high, low, medium)
		w.chooseLayer()
		require.Equal(t, []livekit.VideoQuality{livekit.VideoQuality_MEDIUM}, *asked)
		time.Sleep(time.Second)
		for range 3 {
			w.preferLarger()
			synctest.Wait()
		}
		require.Equal(t, []livekit.VideoQuality{livekit.VideoQuality_MEDIUM, livekit.VideoQuality_HIGH}, *asked, "the next larger one, once")
		time.Sleep(time.Second)
		w.preferLarger()
		synctest.Wait()
		require.Len(t, *asked, 2, "there is none larger")
		require.Equal(t, 720, w.largest())
	})
}
