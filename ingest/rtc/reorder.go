package rtc

import "time"

const (
	// maxDropout and the reorder depth bound where a plausible next sequence
	// number lies (RFC 3550, A.1); one outside must be confirmed by its successor.
	maxDropout = 3000
	noRotation = -1
)

// packet is what the reassembly needs of one RTP packet.
type packet struct {
	sequence    uint16
	timestamp   uint32 // 90 kHz
	marker      bool
	payloadType uint8
	rotation    int // degrees clockwise, noRotation when the packet does not say
	mirrored    bool
	payload     []byte
	arrived     time.Time
}

// reorderBuffer gives packets in sequence order, each once. A packet that is
// missing holds back those after it for at most wait or as many packets as
// there are slots; then it is lost. It owns no goroutine and no clock: time is
// what packets say. The payload of a packet that comes in order is not copied.
//
// Where the stream begins is not known from its first packet to arrive, because
// another may have overtaken the first one that was sent. Unless it proves to begin a
// picture, earlier ones are waited for as for a missing packet.
type reorderBuffer struct {
	slots   []slot // ring, indexed by the unwrapped sequence number
	wait    time.Duration
	deliver func(p packet, gap bool)
	begins  func(p packet) bool // whether a packet proves to begin a picture; nil: each does

	started bool
	opening bool  // nothing was delivered yet, and packets before the first to arrive may come
	next    int64 // unwrapped sequence number that is due
	waiting int   // slots in use
	since   time.Time
	probe   int // the sequence number that would confirm a restart, -1 for none
	lost    int64
}

type slot struct {
	used   bool
	packet packet
	buffer []byte // backs packet.payload, kept for the next use
}

func newReorderBuffer(depth int, wait time.Duration, deliver func(p packet, gap bool)) *reorderBuffer {
	return &reorderBuffer{slots: make([]slot, depth), wait: wait, deliver: deliver, probe: -1}
}

// push takes the next packet as it arrived; p.payload is borrowed until it
// returns. The reason is empty when the packet was taken.
func (r *reorderBuffer) push(p packet) dropReason {
	if !r.started {
		r.start(p)
	}
	ahead := int64(int16(p.sequence - uint16(r.next)))
	if ahead > maxDropout || ahead < -int64(len(r.slots)) {
		return r.restart(p)
	}
	r.probe = -1
	if ahead < 0 {
		return dropLate
	}
	reason := r.accept(r.next+ahead, p)
	if r.opening && r.begins(p) {
		r.open()
	}
	r.expire(p.arrived)
	return reason
}

// start expects half a buffer of packets before the first to arrive, unless that one begins a picture.
func (r *reorderBuffer) start(p packet) {
	const firstLap = 1 << 16 // so that no number is negative
	r.started, r.next = true, firstLap+int64(p.sequence)
	if r.opening = r.begins != nil && !r.begins(p); r.opening {
		r.next -= int64(len(r.slots) / 2)
	}
}

// open lets the stream begin with the first packet that has come. Those before it do not count as lost.
func (r *reorderBuffer) open() {
	r.opening = false
	for r.waiting > 0 && !r.at(r.next).used {
		r.next++
	}
	r.drain()
	r.since = r.oldest()
}

// restart follows a sender whose sequence numbers jumped, once two packets in a row agree.
func (r *reorderBuffer) restart(p packet) dropReason {
	if int(p.sequence) != r.probe {
		r.probe = int(p.sequence + 1)
		return dropLate
	}
	for r.waiting > 0 {
		r.skip()
	}
	r.probe = -1
	r.next += int64(p.sequence - uint16(r.next))
	r.release(p, true)
	return ""
}

func (r *reorderBuffer) accept(sequence int64, p packet) dropReason {
	for r.waiting > 0 && sequence-r.next >= int64(len(r.slots)) {
		r.skip()
	}
	if sequence-r.next >= int64(len(r.slots)) {
		r.lost += sequence - r.next
		r.next = sequence
		r.release(p, true)
		return ""
	}
	if sequence == r.next {
		r.release(p, false)
		r.drain()
		return ""
	}
	return r.store(sequence, p)
}

func (r *reorderBuffer) store(sequence int64, p packet) dropReason {
	s := r.at(sequence)
	if s.used {
		return dropDuplicate
	}
	s.buffer = append(s.buffer[:0], p.payload...)
	s.packet, s.used = p, true
	s.packet.payload = s.buffer
	if r.waiting == 0 {
		r.since = p.arrived
	}
	r.waiting++
	return ""
}

// waits reports whether packets wait for the one of this sequence number, and the timestamp of
// one of them.
func (r *reorderBuffer) waits(sequence uint16) (timestamp uint32, waits bool) {
	ahead := int64(int16(sequence - uint16(r.next)))
	if ahead < 0 || ahead >= int64(len(r.slots)) || r.at(r.next+ahead).used {
		return 0, false
	}
	for n := r.next + ahead + 1; n < r.next+int64(len(r.slots)); n++ {
		if s := r.at(n); s.used {
			return s.packet.timestamp, true
		}
	}
	return 0, false
}

func (r *reorderBuffer) at(sequence int64) *slot { return &r.slots[sequence%int64(len(r.slots))] }

func (r *reorderBuffer) release(p packet, gap bool) {
	r.next++
	r.opening = false
	r.deliver(p, gap)
}

// drain delivers what waits without a gap before it.
func (r *reorderBuffer) drain() {
	for r.waiting > 0 && r.at(r.next).used {
		r.releaseSlot(false)
	}
}

func (r *reorderBuffer) releaseSlot(gap bool) {
	s := r.at(r.next)
	s.used = false
	r.waiting--
	r.release(s.packet, gap)
}

// skip gives up the missing packets before the first waiting one.
func (r *reorderBuffer) skip() {
	if r.opening {
		r.open()
		return
	}
	for !r.at(r.next).used {
		r.next++
		r.lost++
	}
	r.releaseSlot(true)
	r.drain()
	r.since = r.oldest()
}

func (r *reorderBuffer) oldest() (t time.Time) {
	for i := range r.slots {
		if s := &r.slots[i]; s.used && (t.IsZero() || s.packet.arrived.Before(t)) {
			t = s.packet.arrived
		}
	}
	return t
}

// expire gives up packets that have been missing for too long at now. The
// packet that since belongs to may have left the buffer in order, so since is
// computed again first.
func (r *reorderBuffer) expire(now time.Time) {
	for r.waiting > 0 && now.Sub(r.since) >= r.wait {
		if r.since = r.oldest(); now.Sub(r.since) >= r.wait {
			r.skip()
		}
	}
}
