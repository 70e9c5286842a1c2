package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

const (
	// inFlight is more than any codec holds back (H.264: 16 pictures).
	inFlight = 64
	// rerequestAfter is the number of access units, half a second at 30 frames/s,
	// after which a key frame that did not come is asked for again.
	rerequestAfter = 15
	// silentLimit is how many access units may give no picture before the decoder counts as lost.
	silentLimit = 32
	// recoveryLimit is silentLimit for a decoder on its way to a recovery point, which may be 300 reference
	// pictures away.
	recoveryLimit = 640
)

// unitMeta is what a picture takes over from its access unit.
type unitMeta struct {
	pts         time.Duration
	orientation Orientation
	exact       bool // the picture does not refer to any that the decoder has not seen
	stream      int
	encoded     unitCoding
}

// Stream decodes one live stream. Next is for one goroutine; Counts and Close
// may be called from others.
type Stream struct {
	cfg   Config
	units liveproof.UnitSource
	tally tally

	mu       sync.Mutex      // decoding against Close
	dec      *decoder        // nil while a key frame is awaited
	recovery codecs.Recovery // of dec, nil once all further pictures are exact
	codec    liveproof.Codec
	stream   int                  // of the sender's streams, see liveproof.AccessUnit
	format   *codecs.Format       // of codec, nil when it is unknown
	sets     codecs.ParameterSets // of the stream, nil for a codec that has none
	held     bool                 // there are new parameter sets that the decoder has not seen
	display  *displaySEI          // of the stream, nil for a codec that has none
	conv     *converter
	metas    [inFlight]unitMeta
	seq      int64
	newest   time.Duration // PTS of the access unit that was decoded last
	silent   int           // access units since the last picture
	starved  int           // access units dropped since a key frame was last asked for
	ready    []*picture
	coding   codingReader
	end      error // set once nothing more comes
}

// NewStream returns a stream that takes its access units from units, which it
// does not close.
func NewStream(cfg Config, units liveproof.UnitSource) (*Stream, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Stream{cfg: cfg, units: units, conv: newConverter(untaggedBT601, cfg.MaxPixels)}, nil
}

// Next blocks for the next picture, which the caller then owns. The stream ends
// with io.EOF, liveproof.ErrPictureTooLarge, liveproof.ErrUnsupportedCodec,
// ErrClosed or the source's error; it then stays ended. An error of ctx ends nothing.
func (s *Stream) Next(ctx context.Context) (liveproof.Picture, error) {
	for {
		if p, err := s.next(); p != nil || err != nil {
			return asPicture(p), err
		}
		au, err := s.units.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			s.finish(err)
			continue
		}
		if s.feed(au) {
			s.units.RequestKeyFrame()
		}
	}
}

// asPicture keeps a nil pointer a nil interface.
func asPicture(p *picture) liveproof.Picture {
	if p == nil {
		return nil
	}
	return p
}

// next returns the oldest picture that is ready, or how the stream ended.
func (s *Stream) next() (*picture, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ready) == 0 {
		return nil, s.end
	}
	p := s.ready[0]
	s.ready = append(s.ready[:0], s.ready[1:]...)
	s.tally.decoded(1)
	return p, nil
}

// feed decodes one access unit; ask says that a key frame is to be requested.
func (s *Stream) feed(au liveproof.AccessUnit) (ask bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return false
	}
	s.tally.received()
	ask = s.adapt(au)
	if s.needless(au) {
		s.tally.skipped()
		return ask
	}
	if s.prepare(&au) {
		return ask
	}
	if s.dec == nil && !au.Key {
		s.tally.drop(DropAwaitKeyFrame)
		s.starved++
	} else if err := s.decode(au); err != nil {
		ask = s.fail(err, DropDecodeError) || ask
	} else if !s.metas[s.seq%inFlight].exact {
		s.tally.drop(DropAwaitKeyFrame)
	}
	if s.starved >= rerequestAfter {
		s.starved, ask = 0, true
	}
	return ask
}

// adapt gives the decoder up when this access unit does not continue what it has seen.
func (s *Stream) adapt(au liveproof.AccessUnit) (ask bool) {
	switch {
	case au.Codec != s.codec || au.Stream != s.stream:
		s.closeDecoder()
		s.switchCodec(au.Codec)
		s.stream = au.Stream
		return !au.Key
	case au.Gap && s.dec != nil:
		s.closeDecoder()
		return !au.Key
	}
	return false
}

func (s *Stream) switchCodec(codec liveproof.Codec) {
	s.codec, s.format, s.sets, s.held = codec, codecs.Find(codec), nil, false
	s.coding = newCodingReader(s.format, nil)
	if s.format != nil && s.format.NewParameterSets != nil {
		s.sets = s.format.NewParameterSets()
	}
	if s.display = nil; s.format != nil {
		s.display = newDisplaySEI(s.format.FFmpegName, nil)
	}
}

// orientation is the picture's own, otherwise the transport's.
func (s *Stream) orientation(au *liveproof.AccessUnit) Orientation {
	if s.display != nil {
		if own, ok := s.display.next(au.Data); ok {
			return own
		}
	}
	return unitOrientation(au)
}

// needless reports whether an access unit can be left out: no other refers to it, and the
// last decoded picture is so recent that the next access unit comes soon enough.
func (s *Stream) needless(au liveproof.AccessUnit) bool {
	age := au.PTS - s.newest
	return au.Discardable && !au.Key && s.dec != nil && age >= 0 && age < s.cfg.spareTime()
}

// prepare puts parameter sets that the decoder has not seen in front of an
// access unit. One that is nothing but parameter sets is held for the next.
func (s *Stream) prepare(au *liveproof.AccessUnit) (held bool) {
	if s.sets == nil {
		return false
	}
	hasSets, hasPicture := s.sets.Learn(au.Data)
	if hasSets && !hasPicture {
		s.held = true
		return true
	}
	if s.held || s.dec == nil && !hasSets {
		au.Data, s.held = s.sets.Prepend(au.Data), false
	}
	return false
}

// decode runs one access unit through the decoder, a fresh one after a loss.
func (s *Stream) decode(au liveproof.AccessUnit) error {
	if s.format == nil {
		return fmt.Errorf("%w: %q", liveproof.ErrUnsupportedCodec, au.Codec)
	}
	if err := s.cfg.checkClaim(s.format.Size, au.Data); err != nil {
		return err
	}
	if s.dec == nil {
		if err := s.reopen(); err != nil {
			return err
		}
	}
	s.seq++
	s.newest = au.PTS
	s.metas[s.seq%inFlight] = unitMeta{
		pts: au.PTS, orientation: s.orientation(&au), exact: s.exact(au.Data), stream: au.Stream, encoded: s.coding.read(au.Data, au.Key),
	}
	first := len(s.ready)
	if err := s.dec.decode(au.Data, s.seq, s.accept); err != nil {
		s.discard(first)
		return err
	}
	return s.check(first, mustShow(s.format, au.Data))
}

// reopen starts a decoder with no past.
func (s *Stream) reopen() error {
	d, err := openLive(s.cfg, s.format)
	if err != nil {
		return err
	}
	s.dec, s.silent, s.starved, s.recovery = d, 0, 0, nil
	if s.format.NewRecovery != nil {
		s.recovery = s.format.NewRecovery()
	}
	return nil
}

// exact reports whether the next access unit's picture may be shown. FFmpeg's H.264 decoder too shows nothing before
// the recovery point, but it takes inexact ones as well, and guesses that some encoders mean another point.
func (s *Stream) exact(unit []byte) bool {
	if s.recovery == nil {
		return true
	}
	exact, done := s.recovery.Next(unit)
	if done {
		s.recovery, s.silent = nil, 0
	}
	return exact
}

// mustShow reports whether an access unit must give a picture. If such a unit
// gives none, it has lost parts without the decoder noticing.
func mustShow(f *codecs.Format, unit []byte) bool {
	return !f.Reorders && (f.Hidden == nil || !f.Hidden(unit))
}

// accept makes a frame a picture. One access unit shows one picture: of
// several (spatial layers) the last.
func (s *Stream) accept(f *astiav.Frame) {
	m := s.metas[uint64(f.Pts())%inFlight]
	if !m.exact {
		f.Free()
		return
	}
	p := newPicture(f, s.conv, m.pts, m.orientation)
	p.seq, p.stream, p.encoded = f.Pts(), m.stream, m.encoded
	if n := len(s.ready); n > 0 && s.ready[n-1].seq == p.seq {
		s.ready[n-1].Release()
		s.ready[n-1] = p
		return
	}
	s.ready = append(s.ready, p)
}

var errSilent = errors.New("decoder gives no pictures")

// patience is how many access units in a row may give no picture.
func (s *Stream) patience() int {
	if s.recovery != nil {
		return recoveryLimit
	}
	return silentLimit
}

// check judges what an access unit has brought, from ready[first] on.
func (s *Stream) check(first int, must bool) error {
	if len(s.ready) == first {
		if s.silent++; must || s.silent >= s.patience() {
			return errSilent
		}
		return nil
	}
	s.silent = 0
	for _, p := range s.ready[first:] {
		err := s.refuse(p)
		if err != nil {
			s.discard(first)
			return err
		}
	}
	return nil
}

var errDamaged = errors.New("picture is damaged")

func (s *Stream) refuse(p *picture) error {
	if p.damaged() {
		return errDamaged
	}
	return s.cfg.checkDecoded(p.frame.Width(), p.frame.Height())
}

// fail counts an access unit that gave nothing and decides whether the stream can go on.
func (s *Stream) fail(err error, why DropReason) (ask bool) {
	if errors.Is(err, errDamaged) {
		why = DropCorrupt
	}
	s.tally.drop(why)
	s.closeDecoder()
	if errors.Is(err, liveproof.ErrPictureTooLarge) || errors.Is(err, liveproof.ErrUnsupportedCodec) {
		s.end = err
		return false
	}
	return true
}

// closeDecoder closes the decoder: nothing is shown until the next key frame opens another
// one.
func (s *Stream) closeDecoder() {
	s.dec.close()
	s.dec, s.starved = nil, 0
}

// discard releases the pictures from ready[first] on.
func (s *Stream) discard(first int) {
	for _, p := range s.ready[first:] {
		p.Release()
	}
	s.ready = s.ready[:first]
}

// finish drains the decoder at the end of the source.
func (s *Stream) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return
	}
	s.end = err
	if s.dec == nil || !errors.Is(err, io.EOF) {
		return
	}
	first := len(s.ready)
	if s.dec.send(nil, s.accept) != nil || s.check(first, false) != nil {
		s.discard(min(first, len(s.ready)))
	}
}

// PreferLarger asks the sender for larger pictures; one that sends a single size has none. It
// never blocks and may be called from any goroutine.
func (s *Stream) PreferLarger() {
	if layered, ok := s.units.(liveproof.LayeredSource); ok {
		layered.PreferLarger()
	}
}

// Reduced reports whether the sender has larger pictures than those that come (liveproof.LayeredSource). It never blocks.
func (s *Stream) Reduced() bool {
	layered, ok := s.units.(liveproof.LayeredSource)
	return ok && layered.Reduced()
}

// PreferFiner asks the sender for a higher bitrate, where it can be asked. It never blocks and may be called from any goroutine.
func (s *Stream) PreferFiner() {
	if b, ok := s.units.(liveproof.BitrateSource); ok {
		b.PreferFiner()
	}
}

// RoundTrip is the network's to the sender and back, where the source knows it (liveproof.DelaySource).
func (s *Stream) RoundTrip() (roundTrip time.Duration, known bool) {
	if d, ok := s.units.(liveproof.DelaySource); ok {
		return d.RoundTrip()
	}
	return 0, false
}

// Declined reports whether the client has declined a challenge (liveproof.DecliningSource).
func (s *Stream) Declined(id string) bool {
	d, ok := s.units.(liveproof.DecliningSource)
	return ok && d.Declined(id)
}

// Counts is what came and what became of it so far, what the source withheld included (liveproof.LossCounter).
func (s *Stream) Counts() Counts {
	c := s.tally.counts()
	source, ok := s.units.(liveproof.LossCounter)
	if !ok {
		return c
	}
	if n := source.Withheld(); n > 0 {
		if c.Dropped == nil {
			c.Dropped = map[DropReason]int64{}
		}
		c.Received += n
		c.Dropped[DropWithheld] += n
	}
	return c
}

// Close frees the decoder. Pictures already handed out stay usable. It is
// idempotent and does not wake a Next that waits for its source.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.end, ErrClosed) {
		return nil
	}
	s.end = ErrClosed
	s.closeDecoder()
	s.discard(0)
	s.conv.release()
	return nil
}
