package rtc

import (
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// clockRate of every video payload format here, in Hz.
const clockRate = 90000

// dropReason says why a packet or an access unit was not used; the values are
// the label "reason" of liveproof_webrtc_drops_total.
type dropReason string

const (
	dropMalformed  dropReason = "malformed"   // packet or picture that its payload format does not allow
	dropLate       dropReason = "late"        // packet after its turn, or far from the sequence
	dropDuplicate  dropReason = "duplicate"   // packet that came before
	dropUnknown    dropReason = "unknown"     // packet of a payload type that was not negotiated, or of no known stream
	dropOther      dropReason = "other_layer" // packet of a stream that is not in use
	dropIncomplete dropReason = "incomplete"  // picture with lost packets
	dropTooLarge   dropReason = "too_large"   // picture above the byte or packet cap
	dropNoKey      dropReason = "no_keyframe" // picture before the first key frame, or after a drop that needs one
	dropOverflow   dropReason = "overflow"    // picture that the decoder was too slow for
)

// dropReasons in the order of their counters.
var dropReasons = [...]dropReason{dropMalformed, dropLate, dropDuplicate, dropUnknown, dropOther, dropIncomplete, dropTooLarge, dropNoKey, dropOverflow}

// assembler turns packets in sequence order into complete access units.
//
// A picture is complete only when it is proven to be: its packets follow each
// other without a gap; the packet before its first one ended the picture
// before (or its first payload proves to be a start, and the picture brings the
// headers that may have come before it); and its last one has the marker, or the
// packet right after it has another timestamp. Anything else is dropped, and the
// next unit says so in Gap.
//
// pion's samplebuilder is not used because it judges by timestamps and partition
// heads only: after a loss before a picture's first packets it can hand out the
// rest as a whole, which must never happen here.
type assembler struct {
	maxBytes, maxPackets int
	payloadTypes         map[uint8]liveproof.Codec
	fmtp                 map[uint8]string // by payload type: format parameters that the sender offered; may be nil
	emit                 func(liveproof.AccessUnit)
	drop                 func(dropReason)
	recycle              func() []byte // returns used memory for another unit, or nil; the function may be nil
	spare                []byte        // the memory that recycle returned

	depacketizers map[liveproof.Codec]codecs.Depacketizer
	open          bool // a picture is under way
	picture       picture
	aligned       bool            // the packet before ended a picture
	gap           bool            // pictures were lost since the last unit
	waitKey       bool            // what comes before a key frame cannot be decoded
	broken        bool            // a key frame is needed to show pictures again
	codec         liveproof.Codec // of the last unit
	rotation      int
	mirrored      bool
	clock         clock
}

// picture is the one under way.
type picture struct {
	codec     liveproof.Codec
	timestamp uint32
	bad       dropReason // why it will be dropped, if so
	headless  bool       // headers that belong to it may have been lost
	bytes     int
	packets   int
	arrived   time.Time
}

func newAssembler(cfg Config, payloadTypes map[uint8]liveproof.Codec, emit func(liveproof.AccessUnit), drop func(dropReason)) *assembler {
	return &assembler{
		maxBytes: cfg.MaxUnitBytes, maxPackets: cfg.MaxUnitPackets,
		payloadTypes: payloadTypes, emit: emit, drop: drop,
		depacketizers: map[liveproof.Codec]codecs.Depacketizer{},
		waitKey:       true, broken: true,
	}
}

// needsKeyFrame reports whether no picture can be shown before the next key
// frame.
func (a *assembler) needsKeyFrame() bool { return a.broken }

// push takes the next packet in order; gap says that packets before it are missing.
func (a *assembler) push(p packet, gap bool) {
	if gap {
		a.noteLoss()
	}
	if len(p.payload) == 0 {
		return // padding: it takes a sequence number and belongs to no picture
	}
	codec, known := a.payloadTypes[p.payloadType]
	if !known {
		a.drop(dropUnknown)
		return
	}
	if a.open && p.timestamp != a.picture.timestamp {
		a.finish()
	}
	if !a.open {
		a.begin(codec, p)
	}
	a.add(codec, p)
	if p.marker {
		a.finish()
	}
}

// noteLoss handles missing packets: the current picture is incomplete, and the start
// of the next one is not known.
func (a *assembler) noteLoss() {
	if a.open {
		a.discard(dropIncomplete)
	}
	a.gap, a.broken, a.aligned = true, true, false
}

func (a *assembler) begin(codec liveproof.Codec, p packet) {
	a.open = true
	a.picture = picture{codec: codec, timestamp: p.timestamp}
	d := a.depacketizer(codec, p.payloadType)
	d.Reset()
	if a.aligned {
		return
	}
	d.Forget()
	switch d.Starts(p.payload) {
	case codecs.StartUnknown:
		a.picture.bad = dropIncomplete
	case codecs.StartOfPicture:
		a.picture.headless = true
	case codecs.StartOfUnit:
	}
}

// begins reports whether a packet proves that nothing of its picture comes before it.
func (a *assembler) begins(p packet) bool {
	if len(p.payload) == 0 {
		return false
	}
	codec, known := a.payloadTypes[p.payloadType]
	return known && a.depacketizer(codec, p.payloadType).Starts(p.payload) == codecs.StartOfUnit
}

// depacketizer of a codec; the format parameters are those of its first packet.
func (a *assembler) depacketizer(codec liveproof.Codec, payloadType uint8) codecs.Depacketizer {
	d := a.depacketizers[codec]
	if d == nil {
		d = codecs.Find(codec).NewDepacketizer(a.fmtp[payloadType])
		a.depacketizers[codec] = d
	}
	return d
}

func (a *assembler) add(codec liveproof.Codec, p packet) {
	pic := &a.picture
	pic.bytes += len(p.payload)
	pic.packets++
	pic.arrived = p.arrived
	if p.rotation != noRotation {
		a.rotation, a.mirrored = p.rotation, p.mirrored
	}
	switch {
	case pic.bad != "":
	case pic.bytes > a.maxBytes || pic.packets > a.maxPackets:
		pic.bad = dropTooLarge
	case codec != pic.codec: // two codecs within one picture
		pic.bad = dropMalformed
	case a.depacketizer(codec, p.payloadType).Add(p.payload) != nil:
		pic.bad = dropMalformed
	}
}

// finish ends the picture under way at a proven end.
func (a *assembler) finish() {
	a.aligned = true
	if a.picture.bad != "" {
		a.discard(a.picture.bad)
		return
	}
	u, err := a.depacketizers[a.picture.codec].Finish(a.spare)
	if err != nil {
		a.discard(dropMalformed)
		return
	}
	a.open = false
	if len(u.Data) == 0 { // headers for the next picture: what may be missing before them is missing there too
		a.aligned = !a.picture.headless
		return
	}
	a.spare = nil // the depacketizer owns it now
	if a.picture.headless && !u.OwnHeaders {
		a.spare = u.Data
		a.discard(dropIncomplete)
		return
	}
	a.deliver(u)
	if a.spare == nil && a.recycle != nil {
		a.spare = a.recycle()
	}
}

func (a *assembler) discard(reason dropReason) {
	a.open = false
	a.gap, a.broken = true, true
	a.depacketizers[a.picture.codec].Reset()
	a.drop(reason)
}

func (a *assembler) deliver(u codecs.Unit) {
	pic := &a.picture
	if pic.codec != a.codec { // first unit, or the sender changed the codec
		a.codec, a.waitKey = pic.codec, true
	}
	if a.waitKey && !u.Key {
		a.gap, a.broken = true, true
		a.spare = u.Data
		a.drop(dropNoKey)
		return
	}
	if u.Skip {
		a.gap, a.broken = true, true
	}
	if u.Key {
		a.waitKey, a.broken = false, false
	}
	a.emit(liveproof.AccessUnit{
		Codec: pic.codec, PTS: a.clock.time(pic.timestamp), Timestamp: pic.timestamp, ArrivedAt: pic.arrived,
		Key: u.Key, Gap: a.gap, Discardable: u.Discardable,
		Mirrored: a.mirrored, Rotation: a.rotation, Data: u.Data,
	})
	a.gap = false
}

// clock unwraps 32-bit RTP timestamps into time since the first one. A timestamp that stands still, runs backward or
// jumps is passed on as it is: the sampler judges it. A difference of exactly half the range counts as backward.
type clock struct {
	started bool
	last    uint32
	ticks   int64
}

// maxTicks is 50 years. A sender that jumps by half the range each time gets there; its time then begins again at 0,
// which is one more jump, so that what it sends afterwards still advances.
const maxTicks = int64(50*365*24*time.Hour/time.Second) * clockRate

func (c *clock) time(timestamp uint32) time.Duration {
	if !c.started {
		c.started, c.last = true, timestamp
	}
	c.ticks += int64(int32(timestamp - c.last))
	c.last = timestamp
	if c.ticks > maxTicks || c.ticks < -maxTicks {
		c.ticks = 0
	}
	return time.Duration(c.ticks/clockRate)*time.Second + time.Duration(c.ticks%clockRate)*time.Second/clockRate
}
