package rtc

import (
	"encoding/binary"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/transport/v5/packetio"
)

// streams sorts a peer's RTP packets by stream (SSRC). A camera may come as several: as
// simulcast layers (RFC 8853), each with a stream of retransmissions (RFC 4588), and as a new
// stream when its sender starts again. pion keeps to the streams that a description names, and
// to one for each section unless they have rids; here a stream is what arrives, whatever was
// announced, and layers decides which of them is used.
//
// All methods but configure are for one goroutine.
type streams struct {
	video    *Video
	layers   *layers
	feedback *feedback
	bitrate  bitrate
	rate     rateLimit
	open     map[uint32]*stream // bounded by max_streams: see Peer.newBuffer
	packet   rtp.Packet         // reused

	agreed atomic.Pointer[agreement] // nil before the answer
}

// agreement is what offer and answer say about the streams.
type agreement struct {
	negotiated
	announced
	orientation, midID, rid, repairedRID uint8 // header extensions, 0 for none
}

// stream is one SSRC.
type stream struct {
	ssrc    uint32
	sent    *sentStream
	layer   *layer // nil while it carried no media
	rid     string // RFC 8852, of a retransmission stream that of the one it repairs; "" if it does not say
	foreign bool   // it belongs to another section
}

func newStreams(cfg Config, video *Video, f *feedback, log *slog.Logger, sendPLI func(ssrc uint32), requestBitrate func(bitsPerSecond float64)) *streams {
	s := &streams{
		video: video, layers: newLayers(cfg, video, log, sendPLI), feedback: f,
		rate: rateLimit{perSecond: cfg.MaxPacketRate}, open: map[uint32]*stream{},
	}
	s.bitrate.send = requestBitrate
	video.preferLarger, video.preferFiner, video.reduced = s.layers.preferLarger, s.bitrate.preferFiner, s.layers.reduced.Load
	return s
}

// configure sets what was negotiated. Packets that come before it are dropped.
func (s *streams) configure(n negotiated, a announced) {
	s.agreed.Store(&agreement{
		negotiated: n, announced: a, orientation: n.extension(orientationURI), midID: n.extension(sdp.SDESMidURI),
		rid: n.extension(sdp.SDESRTPStreamIDURI), repairedRID: n.extension(sdp.SDESRepairRTPStreamIDURI),
	})
}

// handle takes one RTP packet as it arrived; media says that it may become part of a picture.
func (s *streams) handle(raw []byte, now time.Time) (media bool, err error) {
	if !s.rate.allow(now) {
		return false, ErrFlood
	}
	s.video.received(len(raw))
	a := s.agreed.Load()
	if a == nil {
		s.video.drop(dropUnknown)
		return false, nil
	}
	st := s.parse(a, raw)
	if st == nil {
		s.video.drop(dropMalformed)
		return false, nil
	}
	media = s.sort(a, st, now)
	if !st.foreign && s.bitrate.count(len(raw), now) {
		s.bitrate.review(s.layers.takeLoss(), now)
	}
	return media, nil
}

// parse makes a packet the current one and returns its stream, nil for one that is malformed.
func (s *streams) parse(a *agreement, raw []byte) *stream {
	if s.packet.Unmarshal(raw) != nil {
		return nil
	}
	st := s.stream(a)
	if st.sent.read(raw) != nil {
		return nil
	}
	return st
}

// stream is the one of the current packet.
func (s *streams) stream(a *agreement) *stream {
	st := s.open[s.packet.SSRC]
	if st == nil {
		st = &stream{ssrc: s.packet.SSRC, sent: s.feedback.stream(s.packet.SSRC, &a.negotiated)}
		st.foreign = a.foreign[st.ssrc]
		s.open[st.ssrc] = st
	}
	if a.midID != 0 {
		mid := s.packet.GetExtension(a.midID)
		st.foreign = st.foreign || len(mid) > 0 && string(mid) != a.mid // RFC 9143, 9.2: the packet says so itself
	}
	if st.rid == "" {
		st.rid = s.streamID(a.rid)
	}
	return st
}

func (s *streams) streamID(extension uint8) string {
	if extension == 0 {
		return ""
	}
	if id := string(s.packet.GetExtension(extension)); validRID(id) {
		return id
	}
	return ""
}

// sort hands the current packet to its layer. Padding, by which senders probe the bandwidth, is no media.
func (s *streams) sort(a *agreement, st *stream, now time.Time) (media bool) {
	_, primary := a.codecs[s.packet.PayloadType]
	repaired, repair := a.negotiated.repairs[s.packet.PayloadType]
	switch {
	case st.foreign: // audio, another camera
		return false
	case repair:
		return s.repair(a, st, repaired, now)
	case primary && st.layer == nil && len(s.packet.Payload) == 0:
		return false // a probe of the bandwidth, with an SSRC of its own
	case primary && st.layer == nil:
		st.layer = s.layers.add(a, st, now)
		fallthrough
	case st.layer != nil: // what is not primary takes a sequence number all the same
		st.layer.rid = st.rid
		s.layers.take(st.layer, s.borrowed(a, now))
		return primary && len(s.packet.Payload) > 0
	}
	s.video.drop(dropUnknown)
	return false
}

// borrowed is the current packet, whose payload is valid until the next one.
func (s *streams) borrowed(a *agreement, now time.Time) packet {
	p := packet{
		sequence: s.packet.SequenceNumber, timestamp: s.packet.Timestamp, marker: s.packet.Marker,
		payloadType: s.packet.PayloadType, payload: s.packet.Payload, arrived: now,
	}
	p.rotation, p.mirrored = s.orientation(a.orientation)
	return p
}

// orientation reads the byte 0000CFRR (3GPP TS 26.114, 7.4.5): the mirroring F of the video as it
// was sent, and the clockwise turn that then makes the picture upright. C, which camera it
// is, changes no pixel.
func (s *streams) orientation(extension uint8) (rotation int, mirrored bool) {
	if extension == 0 {
		return noRotation, false
	}
	value := s.packet.GetExtension(extension)
	if len(value) == 0 {
		return noRotation, false
	}
	return int(value[0]&3) * 90, value[0]&4 != 0
}

const originalSequence = 2 // bytes in front of a retransmitted payload (RFC 4588, 4)

// repair turns a retransmission into the packet that it repeats. One without a payload is padding.
func (s *streams) repair(a *agreement, st *stream, payloadType uint8, now time.Time) (media bool) {
	if len(s.packet.Payload) <= originalSequence {
		return false
	}
	p := s.borrowed(a, now)
	p.sequence, p.payloadType, p.payload = binary.BigEndian.Uint16(p.payload), payloadType, p.payload[originalSequence:]
	of := s.repaired(a, st)
	if of == nil {
		of = s.missing(p)
	}
	if of == nil || of.layer == nil {
		s.video.drop(dropUnknown)
		return false
	}
	s.layers.restore(of.layer, p)
	return true
}

// repaired is the stream that a retransmission stream says it repairs, by the offer's SSRCs or
// by header extension; nil if it does not say, or if that stream is not there. Of several with one rid,
// which a sender has that began again, it is the one that came last.
func (s *streams) repaired(a *agreement, repair *stream) (of *stream) {
	if ssrc, ok := a.announced.repairs[repair.ssrc]; ok {
		return s.open[ssrc]
	}
	if id := s.streamID(a.repairedRID); id != "" {
		repair.rid = id
	}
	if repair.rid == "" {
		return nil
	}
	for _, st := range s.open {
		if st.rid == repair.rid && st.layer != nil && (of == nil || st.layer.last.After(of.layer.last)) {
			of = st
		}
	}
	return of
}

// missing is the stream that lacks exactly this packet. Lost packets are asked for only of layers that
// are read (RFC 4588, 5.3); the timestamp, which streams begin at random, must fit too.
func (s *streams) missing(p packet) *stream {
	for _, l := range s.layers.all {
		if l.receiver != nil && l.receiver.lacks(p) {
			return s.open[l.ssrc]
		}
	}
	return nil
}

// inlet is where pion writes the packets of one SSRC. Nobody reads it by SSRC: all inlets of a
// peer lead to one bounded queue, which drops new packets when it is full.
type inlet struct{ queue *packetio.Buffer }

func (i inlet) Write(b []byte) (int, error) { return i.queue.Write(b, nil) }

func (i inlet) Read([]byte) (int, error) { return 0, io.EOF }

func (i inlet) Close() error { return nil }
