package livekit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/internal/ids"
)

// pause is between a session that ended, or could not begin, and the next one of the same track.
const pause = 5 * time.Second

// source is a camera track that packets come from; *webrtc.TrackRemote with its publication.
type source struct {
	identity, sid   string // of the participant, of the track
	codec           webrtc.RTPCodecParameters
	layers          func() []*livekit.VideoLayer
	choose          func(livekit.VideoQuality) error
	requestKeyFrame func()
}

// watch runs the sessions of one track, one after the other: a session begins with a packet, and ends when none come, when its longest time is
// over, or with the track.
type watch struct {
	agent *Agent
	from  source
	log   *slog.Logger
	codec liveproof.Codec

	peer   *peer // of the newest session; nil before the first
	next   atomic.Int64
	larger struct {
		sync.Mutex
		at      time.Time
		current int // side of the layer that was asked for
	}
	sessions sync.WaitGroup
}

// codecOf is the codec of a track.
func codecOf(c webrtc.RTPCodecParameters) liveproof.Codec {
	_, name, _ := strings.Cut(c.MimeType, "/")
	return liveproof.Codec(strings.ToUpper(name))
}

func (a *Agent) newWatch(from source) *watch {
	return &watch{
		agent: a, from: from, codec: codecOf(from.codec),
		log: a.log.With("participant", from.identity, "track", from.sid),
	}
}

// take hands a packet to the session that runs, or begins one.
func (w *watch) take(ctx context.Context, raw []byte, now time.Time) {
	if w.peer != nil && w.peer.push(raw, now) {
		return
	}
	if now.UnixNano() < w.next.Load() {
		return
	}
	w.later(pause)
	w.peer = newPeer(w.agent.deps.Tracks.New(rtc.Stream{
		Codec: w.codec, PayloadType: uint8(w.from.codec.PayloadType), Format: w.from.codec.SDPFmtpLine,
		RequestKeyFrame: w.from.requestKeyFrame, PreferLarger: w.preferLarger, Largest: w.largest,
	}), w.agent.cfg.IdleTimeout)
	w.peer.push(raw, now)
	p := w.peer
	w.sessions.Go(func() { w.session(ctx, p) })
}

// later keeps the next session from beginning before d is over.
func (w *watch) later(d time.Duration) { w.next.Store(time.Now().Add(d).UnixNano()) }

// stop ends the session that runs; its media so far is judged. It returns when the session has ended.
func (w *watch) stop() {
	if w.peer != nil {
		w.peer.end(rtc.ErrLost)
	}
	w.sessions.Wait()
	w.agent.teller.gone(w.from.identity, w.from.sid)
}

// session makes the record and runs the session until it has ended.
func (w *watch) session(ctx context.Context, p *peer) {
	ended := make(chan struct{})
	if err := w.begin(ctx, p, func() { close(ended) }); err != nil {
		p.end(err)
		wait := pause
		if refused, ok := errors.AsType[*live.Refusal](err); ok {
			wait = max(wait, refused.RetryAfter)
		}
		w.later(wait)
		w.log.Warn("the track is not judged now", "err", err, "again_in", wait)
		return
	}
	<-ended // the supervisor ends every session that it has
	w.later(pause)
}

func (w *watch) begin(ctx context.Context, p *peer, ended func()) error {
	a := w.agent
	s := a.newSession(w.from.identity)
	if err := a.supervisor.Book(s.ID); err != nil {
		return err
	}
	stored, _, err := a.deps.Sessions.Create(ctx, s, "", "")
	if err != nil {
		a.supervisor.Unbook(s.ID)
		return fmt.Errorf("record: %w", err)
	}
	defer a.deps.Peers.expect(s.ID, p)()
	l := &listener{watch: w, session: s.ID, ended: ended}
	l.tell(liveproof.Pending(), false)
	if _, err := a.supervisor.Connect(ctx, stored, ids.New(time.Now()), l, nil); err != nil {
		return err
	}
	w.log.Info("session created", "session", s.ID)
	return nil
}

// listener passes a session's verdicts on to the room.
type listener struct {
	watch   *watch
	session liveproof.SessionID
	ended   func()
}

func (l *listener) tell(v liveproof.Verdict, final bool) {
	l.watch.agent.teller.tell(Message{
		Session: l.session, Identity: l.watch.from.identity, Track: l.watch.from.sid, Verdict: v.Outcome, Reasons: v.Reasons, Final: final,
	})
}

// State implements live.Listener.
func (l *listener) State(liveproof.State) {}

// Event implements live.Listener.
func (l *listener) Event(e liveproof.Event) {
	if e.Verdict != nil {
		l.tell(*e.Verdict, false)
	}
}

// Ended implements live.Listener.
func (l *listener) Ended(s liveproof.Session) {
	l.tell(s.Verdict, true)
	l.ended()
}

// sorted are the sender's layers, the smallest first.
func (w *watch) sorted() []*livekit.VideoLayer {
	layers := slices.Clone(w.from.layers())
	slices.SortFunc(layers, bySize)
	return layers
}

func (w *watch) largest() int {
	side := 0
	for _, l := range w.from.layers() {
		side = max(side, sideOf(l))
	}
	return side
}

// chooseLayer asks for the cheapest layer in which a face can be judged.
func (w *watch) chooseLayer() {
	layers := w.sorted()
	sides := make([]int, len(layers))
	for i, l := range layers {
		sides[i] = sideOf(l)
	}
	if i := rtc.SmallestEnough(sides); i >= 0 {
		w.ask(layers[i])
	}
}

// preferLarger asks for the next larger layer; not again before the server can have sent it.
func (w *watch) preferLarger() {
	w.larger.Lock()
	defer w.larger.Unlock()
	if time.Since(w.larger.at) < time.Second {
		return
	}
	for _, l := range w.sorted() {
		if sideOf(l) > w.larger.current {
			w.larger.at = time.Now()
			w.sessions.Go(func() { w.ask(l) }) // it may wait for the network; the caller is a session of the group
			return
		}
	}
}

func (w *watch) ask(l *livekit.VideoLayer) {
	w.larger.Lock()
	w.larger.current = sideOf(l)
	w.larger.Unlock()
	if err := w.from.choose(l.GetQuality()); err != nil {
		w.log.Debug("layer", "err", err)
		return
	}
	w.log.Info("layer", "quality", l.GetQuality().String(), "width", l.GetWidth(), "height", l.GetHeight())
}
