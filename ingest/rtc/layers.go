package rtc

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

const (
	// enoughSide is the shorter side, in pixels, from which on a layer is large enough to begin
	// with: that of a camera's picture without simulcast. Half of it would be enough for the face's size, but not for its detail:
	// senders give a layer of 320×240 at most 150 to 270 kbit/s, in which a person may look like an attack.
	// A smaller layer than the largest costs less to decode, and when the face proves too small in it PreferLarger asks for the next.
	enoughSide = 480
	// gatherLayers is how long the first choice waits for the layers that the offer announces.
	gatherLayers = 500 * time.Millisecond
	// rampUp is how long, after the first packet, a layer that is too small is left for a larger
	// one without being asked: senders begin with the smallest until they know their bandwidth.
	rampUp = 3 * time.Second
	// silence makes a layer count as paused, or its stream as given up by its sender.
	silence = time.Second
	// steady is how long another layer must have come before it follows the one in use. After a
	// break of the network all come again, and which comes first means nothing.
	steady = 500 * time.Millisecond
	// settling is how long after a switch PreferLarger has no effect: pictures of the layer before are
	// still being judged.
	settling = time.Second
	// switchLimit bounds the wait for the key frame with which a switch begins.
	switchLimit = 3 * time.Second
	// probes is how many layers at a time are read only to learn their size, probeAsks how often
	// each is asked for a key frame to show it, after probePatience.
	probes        = maxLayers
	probeAsks     = 3
	probePatience = 300 * time.Millisecond
)

// The values of the label "reason" of liveproof_webrtc_layer_switches_total.
const (
	switchLarger = "larger" // the face was too small
	switchRampUp = "ramp_up"
	switchSilent = "silent" // the stream in use fell silent: paused, or its sender began a new one
)

// layer is one stream of pictures. All layers of a peer show what one camera sees.
type layer struct {
	ssrc     uint32
	rid      string
	sent     *sentStream
	receiver *receiver // nil: its packets are thrown away
	reading  time.Time // since when there is a receiver

	arrivals    losses
	begun, last time.Time // first packet since it was silent, newest packet
	width       int       // of its newest key frame, 0 while unknown
	height      int
	keyBytes    int       // size of that key frame; orders layers whose codec does not say the picture's size
	asked       time.Time // for a key frame, as a layer that is not in use
	asks        int
}

func (l *layer) side() int { return min(l.width, l.height) }

func (l *layer) alive(now time.Time) bool { return now.Sub(l.last) < silence }

// larger orders layers; 0 for two whose size is not known.
func larger(a, b *layer) int {
	return cmp.Or(cmp.Compare(a.side(), b.side()), cmp.Compare(a.keyBytes, b.keyBytes))
}

// layers chooses one of a peer's layers and turns it into its Video. The others are not
// reassembled once their size is known.
//
// A switch begins with a key frame of the new layer, and the unit says so (Gap, and another
// number in Stream). Until that key frame is there the layer before goes on. What the sender shows
// in two layers need not be the same, so whoever judges must not join evidence of two streams.
//
// All methods but preferLarger, reduced.Load and inUse are for one goroutine.
type layers struct {
	cfg     Config
	video   *Video
	log     *slog.Logger
	sendPLI func(ssrc uint32)

	all     []*layer // as their first packets came
	begun   time.Time
	current *layer // nil before the first choice
	next    *layer // to be switched to with its next key frame
	why     string
	since   time.Time // of next
	adopted time.Time // of current, zero for the first choice
	lost    int64     // packets lost before current was in use, less those that its reorder buffer had lost by then
	agreed  *agreement
	line    timeline

	larger  atomic.Bool   // PreferLarger was called
	reduced atomic.Bool   // see isReduced, at the newest unit
	ssrc    atomic.Uint32 // of current, before the first choice of the first layer
}

func newLayers(cfg Config, video *Video, log *slog.Logger, sendPLI func(ssrc uint32)) *layers {
	return &layers{cfg: cfg, video: video, log: log, sendPLI: sendPLI}
}

// preferLarger asks for a layer with larger pictures; safe for concurrent use.
func (s *layers) preferLarger() { s.larger.Store(true) }

// takeLoss is the share of packets that were lost since it was called last, in all layers.
func (s *layers) takeLoss() float64 {
	expected, lost := 0, 0
	for _, l := range s.all {
		e, n := l.arrivals.take()
		expected, lost = expected+e, lost+n
	}
	return float64(lost) / float64(max(1, expected))
}

// ssrcs are those of all layers.
func (s *layers) ssrcs() []uint32 {
	out := make([]uint32, 0, len(s.all))
	for _, l := range s.all {
		out = append(out, l.ssrc)
	}
	return out
}

// inUse is the SSRC of which key frames are asked; safe for concurrent use.
func (s *layers) inUse() uint32 { return s.ssrc.Load() }

// add begins a layer with its first packet.
func (s *layers) add(a *agreement, st *stream, now time.Time) *layer {
	l := &layer{ssrc: st.ssrc, sent: st.sent}
	if len(s.all) == 0 {
		s.begun, s.agreed = now, a
		s.ssrc.Store(l.ssrc)
	}
	s.all = append(s.all, l)
	return l
}

// take handles the next packet of a layer.
func (s *layers) take(l *layer, p packet) {
	l.arrivals.observe(p.sequence)
	if len(p.payload) > 0 { // padding, by which senders probe the bandwidth, comes in a paused layer too
		if !l.alive(p.arrived) {
			l.begun = p.arrived
		}
		l.last = p.arrived
	}
	s.review(p.arrived)
	s.restore(l, p)
	s.request(l, p.arrived)
}

// restore handles a packet that was sent again.
func (s *layers) restore(l *layer, p packet) {
	if !s.reads(l, p.arrived) {
		s.video.drop(dropOther)
		return
	}
	if reason := l.receiver.reorder.push(p); reason != "" {
		s.drop(l, reason)
	}
	if l == s.current {
		s.video.setLost(s.lost + l.receiver.reorder.lost)
	}
}

// reads reports whether a layer is reassembled: the one in use, the one that is to follow it, and
// a few whose size is not known.
func (s *layers) reads(l *layer, now time.Time) bool {
	used := l == s.current || l == s.next
	if !used && !s.probes(l, now) {
		l.close()
		return false
	}
	if l.receiver == nil {
		drop := func(why dropReason) { s.drop(l, why) }
		l.receiver, l.reading = newReceiver(s.cfg, s.agreed, func(u liveproof.AccessUnit) { s.emit(l, u) }, drop, s.video.spare), now
	}
	l.sent.ask(true)
	return true
}

func (s *layers) probes(l *layer, now time.Time) bool {
	if l.keyBytes > 0 || l.asks > probeAsks {
		return false
	}
	probing := 0
	for _, other := range s.all {
		switch {
		case other == l || other.receiver == nil || other == s.current || other == s.next:
		case other.alive(now):
			probing++
		default: // no packet of its own will end it
			other.close()
		}
	}
	return l.receiver != nil || probing < probes
}

// close gives the layer up until it is needed again.
func (l *layer) close() {
	l.receiver = nil
	l.sent.ask(false)
}

// drop counts what is missing in the layer in use; what a probe lacks is no loss.
func (s *layers) drop(l *layer, reason dropReason) {
	if l == s.current {
		s.video.drop(reason)
	}
}

// request asks the layer's sender for a key frame when one is needed.
func (s *layers) request(l *layer, now time.Time) {
	switch {
	case l.receiver == nil:
	case l == s.current:
		if l.receiver.assembler.needsKeyFrame() || s.video.needsKeyFrame() {
			s.video.RequestKeyFrame()
		}
	case l != s.next && now.Sub(l.reading) < probePatience:
	case (l == s.next || l.receiver.assembler.needsKeyFrame()) && now.Sub(l.asked) >= s.cfg.PLIInterval:
		l.asked = now
		l.asks++
		s.video.countPLI()
		s.sendPLI(l.ssrc)
	}
}

// emit takes a complete unit of a layer.
func (s *layers) emit(l *layer, u liveproof.AccessUnit) {
	if u.Key {
		l.measure(u)
		s.review(u.ArrivedAt)
		if l == s.next {
			s.adopt(l, u.ArrivedAt)
		}
	}
	if l == s.current {
		s.line.place(&u, l.ssrc)
		s.reduced.Store(s.isReduced(u.ArrivedAt))
		s.video.push(u)
	}
}

func (l *layer) measure(u liveproof.AccessUnit) {
	l.keyBytes, l.asks = len(u.Data), 0
	if size := codecs.Find(u.Codec).Size; size != nil {
		if width, height, ok := size(u.Data); ok {
			l.width, l.height = width, height
		}
	}
}

// review decides whether another layer is to be used.
func (s *layers) review(now time.Time) {
	switch {
	case s.current == nil:
		s.begin(now)
		return
	case s.next != nil:
		needed := s.why != switchSilent || !s.current.alive(now) // a stream that comes again is not left
		if needed && now.Sub(s.since) < switchLimit && s.next.alive(now) {
			return
		}
		s.next = nil
	}
	switch {
	case !s.current.alive(now):
		s.prepare(s.pick(now), switchSilent, now)
	case s.larger.Swap(false):
		if now.Sub(s.adopted) >= settling {
			s.prepare(s.above(s.current, now), switchLarger, now)
		}
	case now.Sub(s.begun) < rampUp && s.current.side() < enoughSide && s.current.side() > 0:
		if l := s.pick(now); l != nil && l.side() > s.current.side() {
			s.prepare(l, switchRampUp, now)
		}
	}
}

// begin makes the first choice. Without simulcast the first layer is used from its first packet.
func (s *layers) begin(now time.Time) {
	if s.next != nil && s.next.alive(now) && now.Sub(s.since) < switchLimit {
		return
	}
	known := 0
	for _, l := range s.all {
		if l.keyBytes > 0 {
			known++
		}
	}
	switch {
	case s.agreed.streams <= 1:
		s.adopt(s.all[0], now)
	case known >= s.agreed.streams || now.Sub(s.begun) >= gatherLayers:
		s.next, s.since = cmp.Or(s.pick(now), s.all[len(s.all)-1]), now
	}
}

// prepare begins a switch once the layer has come steadily.
func (s *layers) prepare(l *layer, why string, now time.Time) {
	if l != nil && l != s.current && now.Sub(l.begun) >= steady {
		s.next, s.why, s.since = l, why, now
	}
}

// pick chooses among the layers that come: the smallest that is large enough, else the largest.
// Where sizes are not known it is the middle one, by the bytes of their key frames. nil when none comes.
func (s *layers) pick(now time.Time) *layer {
	var coming []*layer
	for _, l := range s.all {
		if l.alive(now) {
			coming = append(coming, l)
		}
	}
	if len(coming) == 0 {
		return nil
	}
	slices.SortStableFunc(coming, larger)
	if coming[len(coming)-1].side() == 0 {
		return coming[len(coming)/2]
	}
	sides := make([]int, len(coming))
	for i, l := range coming {
		sides[i] = l.side()
	}
	return coming[SmallestEnough(sides)]
}

// above is the next larger layer that comes, nil without one.
func (s *layers) above(than *layer, now time.Time) (next *layer) {
	for _, l := range s.all {
		if l.alive(now) && larger(l, than) > 0 && (next == nil || larger(l, next) < 0) {
			next = l
		}
	}
	return next
}

// isReduced reports whether the layer in use is too small for fine detail and not the sender's largest: a larger one comes, or fewer
// layers come than were announced. Senders leave out the largest first.
func (s *layers) isReduced(now time.Time) bool {
	if s.current.side() == 0 || s.current.side() >= enoughSide {
		return false
	}
	coming := 0
	for _, l := range s.all {
		if l.alive(now) {
			coming++
		}
	}
	return coming < s.agreed.streams || s.above(s.current, now) != nil
}

// adopt puts a layer to use.
func (s *layers) adopt(l *layer, now time.Time) {
	before := s.current
	s.current, s.next = l, nil
	s.ssrc.Store(l.ssrc)
	s.lost = s.video.lostSoFar()
	if l.receiver != nil {
		s.lost -= l.receiver.reorder.lost
	}
	if before != nil {
		s.adopted = now
		before.close()
		s.video.countSwitch(s.why)
	}
	s.report(l, now)
}

// report logs the choice, where there is one.
func (s *layers) report(l *layer, now time.Time) {
	level := slog.LevelDebug
	if s.agreed.streams > 1 || len(s.all) > 1 {
		level = slog.LevelInfo
	}
	s.log.Log(context.Background(), level, "video stream in use", "rid", l.rid, "ssrc", l.ssrc, "width", l.width, "height", l.height,
		"streams", len(s.all), "why", s.why, "after", now.Sub(s.begun).Round(time.Millisecond))
}

// timeline joins the timestamps of one layer after the other: each begins at random (RFC 3550,
// 5.1). The server's clock says how much later than the first unit a switch came. The sender's
// reports could say it more exactly; but then the sender could move the stream's time, and a
// switch restarts the evidence anyway.
type timeline struct {
	number int // of the stream, from 1
	ssrc   uint32
	first  time.Time     // arrival of the first unit
	offset time.Duration // of the current stream
	last   time.Duration // newest time
}

// ahead is how far the stream's time may run ahead of the server's clock for a switch to follow it.
const ahead = time.Second

// place gives a unit its stream's number and its time in all of them.
func (t *timeline) place(u *liveproof.AccessUnit, ssrc uint32) {
	switch {
	case t.number == 0:
		t.number, t.ssrc, t.first, t.offset = 1, ssrc, u.ArrivedAt, -u.PTS
	case ssrc != t.ssrc:
		t.number++
		t.ssrc = ssrc
		elapsed := u.ArrivedAt.Sub(t.first)
		t.offset = max(elapsed, min(t.last, elapsed+ahead)+time.Millisecond) - u.PTS
		u.Gap = true
	}
	u.PTS += t.offset
	u.Stream = t.number
	t.last = max(t.last, u.PTS)
}
