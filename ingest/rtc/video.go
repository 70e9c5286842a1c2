package rtc

import (
	"context"
	"io"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/liveproof/liveproof"
)

// Stats of a peer's video, from its first packet.
type Stats struct {
	Packets     int64 // RTP packets received of all streams, retransmitted ones included
	Bytes       int64 // of these packets
	Lost        int64 // packets of the stream in use given up as lost
	AccessUnits int64 // complete pictures
	Dropped     map[string]int64
	PLISent     int64
}

// Video is a peer's video as access units. A bounded queue lies between the
// network and the consumer, newest wins: when the consumer is too slow,
// everything waiting is dropped and nothing passes until the next key frame.
type Video struct {
	maxUnits, maxBytes int
	pliInterval        time.Duration
	sendPLI            func()
	preferLarger       func()                       // nil: there is one stream
	reduced            func() bool                  // nil: there is one stream
	preferFiner        func()                       // nil where nobody can be asked
	roundTrip          func() (time.Duration, bool) // nil where it is not known
	sendFIR            func()                       // where the sender takes it; may be nil
	unanswered         atomic.Int64                 // key frame requests since the last key frame
	requests           atomic.Int64                 // key frame requests so far
	metrics            *metrics

	offer  atomic.Pointer[string]                 // the sender's first offer
	report atomic.Pointer[liveproof.SenderReport] // newest of the stream in use

	mu      sync.Mutex
	queue   []liveproof.AccessUnit
	bytes   int
	waitKey bool // after an overflow
	closed  bool
	lent    []byte   // Data of the unit that Next returned last
	free    [][]byte // memory for further units
	stats   Stats
	useless int64 // pictures that came and were withheld
	dropped [len(dropReasons)]int64
	ready   chan struct{} // holds a token when the queue may have become non-empty or closed

	lastPLI atomic.Int64 // time since start, 0 for never
	start   time.Time
}

var (
	_ liveproof.LayeredSource = (*Video)(nil)
	_ liveproof.LossCounter   = (*Video)(nil)
	_ liveproof.BitrateSource = (*Video)(nil)
	_ liveproof.DelaySource   = (*Video)(nil)
	_ liveproof.SenderSource  = (*Video)(nil)
)

func newVideo(cfg Config, m *metrics, sendPLI func()) *Video {
	return &Video{
		maxUnits: cfg.QueueUnits, maxBytes: cfg.QueueBytes, pliInterval: cfg.PLIInterval,
		sendPLI: sendPLI, metrics: m, ready: make(chan struct{}, 1), start: time.Now(),
	}
}

// Next blocks for the next complete access unit. It returns io.EOF when the
// track has ended and the queue is empty, and ctx's error when ctx ends. The
// unit's Data is valid until the next call, which reuses its memory.
func (v *Video) Next(ctx context.Context) (liveproof.AccessUnit, error) {
	for {
		if err := ctx.Err(); err != nil {
			return liveproof.AccessUnit{}, err
		}
		unit, ok, closed := v.pop()
		if ok {
			return unit, nil
		}
		if closed {
			v.wake() // for another caller
			return liveproof.AccessUnit{}, io.EOF
		}
		select {
		case <-ctx.Done():
		case <-v.ready:
		}
	}
}

func (v *Video) pop() (unit liveproof.AccessUnit, ok, closed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.recycleLocked()
	if len(v.queue) == 0 {
		return unit, false, v.closed
	}
	unit = v.queue[0]
	v.queue[0].Data = nil
	v.queue = v.queue[1:]
	v.bytes -= len(unit.Data)
	v.lent = unit.Data
	return unit, true, false
}

// A session keeps at most maxFree buffers of at most maxFreeBytes for further
// units: enough for one in the decoder, one waiting and one being received.
const (
	maxFree      = 3
	maxFreeBytes = 256 << 10
)

func (v *Video) recycleLocked() {
	if n := cap(v.lent); n > 0 && n <= maxFreeBytes && len(v.free) < maxFree {
		v.free = append(v.free, v.lent[:0])
	}
	v.lent = nil
}

// spare returns used memory for another unit, nil when there is none.
func (v *Video) spare() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	last := len(v.free) - 1
	if last < 0 {
		return nil
	}
	b := v.free[last]
	v.free = v.free[:last]
	return b
}

// push hands a unit to the consumer; it never blocks.
func (v *Video) push(unit liveproof.AccessUnit) {
	v.metrics.units.WithLabelValues(string(unit.Codec)).Inc()
	if unit.Key {
		v.unanswered.Store(0)
	}
	v.mu.Lock()
	v.stats.AccessUnits++
	switch {
	case v.closed:
	case v.waitKey && !unit.Key:
		v.dropLocked(dropNoKey, 1)
	default:
		v.enqueueLocked(unit)
	}
	v.mu.Unlock()
	v.wake()
}

func (v *Video) enqueueLocked(unit liveproof.AccessUnit) {
	if len(v.queue) >= v.maxUnits || v.bytes+len(unit.Data) > v.maxBytes {
		v.dropLocked(dropOverflow, int64(len(v.queue)))
		clear(v.queue)
		v.queue, v.bytes, v.waitKey = nil, 0, true
		if !unit.Key {
			v.dropLocked(dropOverflow, 1)
			return
		}
	}
	if v.waitKey {
		unit.Gap, v.waitKey = true, false
	}
	v.queue = append(v.queue, unit)
	v.bytes += len(unit.Data)
}

func (v *Video) wake() {
	select {
	case v.ready <- struct{}{}:
	default:
	}
}

// needsKeyFrame reports whether units are dropped until the next key frame,
// after an overflow.
func (v *Video) needsKeyFrame() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.waitKey
}

// RequestKeyFrame asks the sender for a key frame (PLI, RFC 4585, 6.3.1; then FIR beside it, RFC 5104), at
// most once per pli_interval whoever asks; it never blocks.
func (v *Video) RequestKeyFrame() {
	now := int64(time.Since(v.start)) + 1
	last := v.lastPLI.Load()
	if last != 0 && now-last < int64(v.pliInterval) || !v.lastPLI.CompareAndSwap(last, now) {
		return
	}
	v.mu.Lock()
	closed := v.closed
	v.mu.Unlock()
	if !closed {
		v.countPLI()
		v.sendPLI()
		if v.unanswered.Add(1) > unansweredPLIs && v.sendFIR != nil {
			v.sendFIR()
		}
	}
}

func (v *Video) countPLI() {
	v.requests.Add(1)
	v.mu.Lock()
	v.stats.PLISent++
	v.mu.Unlock()
	v.metrics.pli.Inc()
}

// PreferLarger asks for the next larger of the sender's simulcast layers; without one that comes
// it does nothing. It never blocks.
func (v *Video) PreferLarger() {
	if v.preferLarger != nil {
		v.preferLarger()
	}
}

// Reduced reports whether the layer in use is too small for fine detail and not the sender's largest, which was announced and does
// not come, or comes and is not used. It never blocks.
func (v *Video) Reduced() bool { return v.reduced != nil && v.reduced() }

// PreferFiner asks for a higher bitrate by REMB, where the sender takes that and the network carries it. A sender with transport-wide
// feedback raises its bitrate by itself. It never blocks.
func (v *Video) PreferFiner() {
	if v.preferFiner != nil {
		v.preferFiner()
	}
}

// Sender is what negotiation and feedback have shown of the sender.
func (v *Video) Sender() (s liveproof.Sender) {
	if offer := v.offer.Load(); offer != nil {
		s.Offer = *offer
	}
	s.KeyFrameRequests, s.Report = v.requests.Load(), v.report.Load()
	return s
}

// Stats may be called at any time.
func (v *Video) Stats() Stats {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.stats
	s.Dropped = map[string]int64{}
	for i, n := range v.dropped {
		s.Dropped[string(dropReasons[i])] = n
	}
	maps.DeleteFunc(s.Dropped, func(_ string, n int64) bool { return n == 0 })
	return s
}

func (v *Video) drop(reason dropReason) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dropLocked(reason, 1)
	switch reason {
	case dropIncomplete, dropNoKey, dropTooLarge:
		v.useless++
	}
}

// Withheld is the number of pictures that were incomplete, too large, or came before a key frame that is missing. Pictures that
// were dropped because the queue was full do not count, because the network did not lose them.
func (v *Video) Withheld() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.useless
}

func (v *Video) dropLocked(reason dropReason, n int64) {
	for i, r := range dropReasons {
		if r == reason {
			v.dropped[i] += n
		}
	}
	v.metrics.drops.WithLabelValues(string(reason)).Add(float64(n))
}

func (v *Video) received(bytes int) {
	v.metrics.packets.Inc()
	v.metrics.bytes.Add(float64(bytes))
	v.mu.Lock()
	v.stats.Packets++
	v.stats.Bytes += int64(bytes)
	v.mu.Unlock()
}

func (v *Video) setLost(total int64) {
	v.mu.Lock()
	added := total - v.stats.Lost
	v.stats.Lost = total
	v.mu.Unlock()
	v.metrics.lost.Add(float64(added))
}

func (v *Video) lostSoFar() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.stats.Lost
}

// countSwitch counts a change to another of the sender's streams.
func (v *Video) countSwitch(why string) { v.metrics.switches.WithLabelValues(why).Inc() }

// close ends the stream: what is queued can still be read.
func (v *Video) close() {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
	v.wake()
}
