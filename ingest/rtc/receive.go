package rtc

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

const (
	// receiveMTU is the largest RTP packet taken, in bytes.
	receiveMTU = 1600
	// orientationURI is coordination of video orientation (3GPP TS 26.114, 7.4.5).
	orientationURI = "urn:3gpp:video-orientation"
	// maxReadErrors in a row end a track: its reader does not block any more.
	maxReadErrors = 1000
)

// receiver reads one track into its Video.
type receiver struct {
	video         *Video
	reorder       *reorderBuffer
	assembler     *assembler
	orientationID uint8 // header extension, 0 for none
	rate          rateLimit
	header        rtp.Packet // reused
}

func newReceiver(cfg Config, video *Video, params webrtc.RTPParameters) *receiver {
	r := &receiver{video: video, rate: rateLimit{perSecond: cfg.MaxPacketRate}}
	r.assembler = newAssembler(cfg, payloadTypes(params.Codecs), video.push, video.drop)
	r.assembler.recycle = video.spare
	r.assembler.fmtp = formats(params.Codecs)
	r.reorder = newReorderBuffer(cfg.ReorderPackets, cfg.ReorderTime, r.assembler.push)
	r.reorder.begins = r.assembler.begins
	for _, extension := range params.HeaderExtensions {
		if extension.URI == orientationURI {
			r.orientationID = uint8(extension.ID)
		}
	}
	return r
}

func payloadTypes(negotiated []webrtc.RTPCodecParameters) map[uint8]liveproof.Codec {
	types := map[uint8]liveproof.Codec{}
	for _, n := range negotiated {
		for _, codec := range codecs.Names() {
			if strings.EqualFold(n.MimeType, codecs.Find(codec).MIMEType()) {
				types[uint8(n.PayloadType)] = codec
			}
		}
	}
	return types
}

// formats are the format parameters by payload type, as the sender offered them.
func formats(negotiated []webrtc.RTPCodecParameters) map[uint8]string {
	out := map[uint8]string{}
	for _, n := range negotiated {
		out[uint8(n.PayloadType)] = n.SDPFmtpLine
	}
	return out
}

// packetReader is the read side of *webrtc.TrackRemote and *webrtc.RTPReceiver.
type packetReader interface {
	Read(b []byte) (int, interceptor.Attributes, error)
}

// readPackets calls handle for each packet until the stream ends; a read error that
// is not the end is a packet that pion refused.
func readPackets(from packetReader, handle func(packet []byte, err error) error) error {
	buffer := make([]byte, receiveMTU)
	for failures := 0; failures < maxReadErrors; {
		n, _, err := from.Read(buffer)
		if ended(err) {
			return nil
		}
		failures++
		if err == nil {
			failures = 0
		}
		if err := handle(buffer[:n], err); err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded)
}

// handle takes one RTP packet as it arrived.
func (r *receiver) handle(raw []byte, now time.Time) error {
	if !r.rate.allow(now) {
		return ErrFlood
	}
	r.video.received(len(raw))
	if reason := r.parse(raw, now); reason != "" {
		r.video.drop(reason)
	}
	r.video.setLost(r.reorder.lost)
	if r.assembler.needsKeyFrame() || r.video.needsKeyFrame() {
		r.video.RequestKeyFrame()
	}
	return nil
}

// parse hands the packet to the reorder buffer; the reason is empty when it was accepted.
func (r *receiver) parse(raw []byte, now time.Time) dropReason {
	if err := r.header.Unmarshal(raw); err != nil {
		return dropMalformed
	}
	p := packet{
		sequence: r.header.SequenceNumber, timestamp: r.header.Timestamp, marker: r.header.Marker,
		payloadType: r.header.PayloadType, payload: r.header.Payload, arrived: now,
	}
	p.rotation, p.mirrored = r.orientation()
	return r.reorder.push(p)
}

// orientation reads the byte 0000CFRR (3GPP TS 26.114, 7.4.5): the mirroring F of the video as it
// was sent, and the clockwise turn that then makes the picture upright. C, which camera it
// is, changes no pixel.
func (r *receiver) orientation() (rotation int, mirrored bool) {
	if r.orientationID == 0 {
		return noRotation, false
	}
	value := r.header.GetExtension(r.orientationID)
	if len(value) == 0 {
		return noRotation, false
	}
	return int(value[0]&3) * 90, value[0]&4 != 0
}

// rateLimit counts packets in windows of a second.
type rateLimit struct {
	perSecond int
	window    time.Time
	count     int
}

func (l *rateLimit) allow(now time.Time) bool {
	if now.Sub(l.window) >= time.Second {
		l.window, l.count = now, 0
	}
	l.count++
	return l.count <= l.perSecond
}
