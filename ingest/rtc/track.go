package rtc

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// Tracks makes video of RTP streams that another WebRTC library receives, such as that of a conference server (SFU).
type Tracks struct {
	cfg     Config
	metrics *metrics
}

// NewTracks checks the configuration. reg may be nil: then metrics are counted and not registered.
func NewTracks(cfg Config, reg prometheus.Registerer) (*Tracks, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(reg)
	return &Tracks{cfg, m}, err
}

// Stream is what is known of a stream before its first packet.
type Stream struct {
	Codec       liveproof.Codec
	PayloadType uint8
	Format      string // its format parameters (a=fmtp)
	// RequestKeyFrame asks the sender for a key frame, PreferLarger for larger pictures. Neither may block.
	RequestKeyFrame, PreferLarger func()
	// Largest is the shorter side of the largest pictures that the sender has, in pixels; 0 where it is not known.
	Largest func() int
}

// Track is one such stream. All packets that may be from different layers of one camera come in one stream of an SFU, which does not say when it
// changes the layer. So every change of the pictures' size counts as another stream (liveproof.AccessUnit.Stream), with which the evidence begins
// anew. Push and Close are for one goroutine at a time.
type Track struct {
	cfg      Config
	stream   Stream
	video    *Video
	receiver *receiver
	rate     rateLimit
	packet   rtp.Packet // reused

	number        int // of the stream, from 1
	width, height int
	reduced       atomic.Bool
}

// Known reports whether a codec can be decoded.
func Known(codec liveproof.Codec) bool { return codecs.Find(codec) != nil }

// New begins a track. Of a codec that is not known every packet is dropped.
func (t *Tracks) New(s Stream) *Track {
	x := &Track{cfg: t.cfg, stream: s, number: 1, rate: rateLimit{perSecond: t.cfg.MaxPacketRate}}
	x.video = newVideo(t.cfg, t.metrics, s.RequestKeyFrame)
	x.video.preferLarger, x.video.reduced = s.PreferLarger, x.reduced.Load
	agreed := &agreement{announced: announced{formats: map[uint8]string{s.PayloadType: s.Format}}}
	if Known(s.Codec) {
		agreed.negotiated = negotiated{codecs: map[uint8]liveproof.Codec{s.PayloadType: s.Codec}}
	}
	x.receiver = newReceiver(t.cfg, agreed, x.emit, x.video.drop, x.video.spare)
	return x
}

// Video is the track's access units.
func (t *Track) Video() *Video { return t.video }

// Push takes one RTP packet as it arrived. The error is ErrFlood; a malformed packet is counted and dropped.
func (t *Track) Push(raw []byte, now time.Time) error {
	if !t.rate.allow(now) {
		return ErrFlood
	}
	t.video.received(len(raw))
	if reason := t.take(raw, now); reason != "" {
		t.video.drop(reason)
	}
	t.video.setLost(t.receiver.reorder.lost)
	if t.receiver.assembler.needsKeyFrame() || t.video.needsKeyFrame() {
		t.video.RequestKeyFrame()
	}
	return nil
}

func (t *Track) take(raw []byte, now time.Time) dropReason {
	if t.packet.Unmarshal(raw) != nil {
		return dropMalformed
	}
	return t.receiver.reorder.push(packet{
		sequence: t.packet.SequenceNumber, timestamp: t.packet.Timestamp, marker: t.packet.Marker, payloadType: t.packet.PayloadType,
		rotation: noRotation, payload: t.packet.Payload, arrived: now,
	})
}

func (t *Track) emit(u liveproof.AccessUnit) {
	if size := codecs.Find(u.Codec).Size; u.Key && size != nil {
		if width, height, ok := size(u.Data); ok {
			t.resize(&u, width, height)
		}
	}
	u.Stream = t.number
	t.video.push(u)
}

func (t *Track) resize(u *liveproof.AccessUnit, width, height int) {
	if t.width != 0 && (width != t.width || height != t.height) {
		t.number++
		u.Gap = true
	}
	t.width, t.height = width, height
	side := min(width, height)
	t.reduced.Store(side < enoughSide && t.stream.Largest != nil && t.stream.Largest() > side)
}

// Close ends the track: what is queued can still be read.
func (t *Track) Close() { t.video.close() }

// SmallestEnough is the place of the smallest picture whose shorter side, in pixels, is large enough to judge a face by, else of the largest
// one; -1 without pictures. It is the rule by which layers are chosen.
func SmallestEnough(sides []int) (chosen int) {
	chosen = -1
	for i, side := range sides {
		switch {
		case chosen < 0,
			sides[chosen] < enoughSide && side >= sides[chosen],
			side >= enoughSide && side < sides[chosen]:
			chosen = i
		}
	}
	return chosen
}
