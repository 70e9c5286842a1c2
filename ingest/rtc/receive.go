package rtc

import (
	"errors"
	"io"
	"time"

	"github.com/pion/transport/v5/packetio"

	"github.com/liveproof/liveproof"
)

const (
	// receiveMTU is the largest RTP packet taken, in bytes.
	receiveMTU = 1600
	// orientationURI is coordination of video orientation (3GPP TS 26.114, 7.4.5).
	orientationURI = "urn:3gpp:video-orientation"
)

// receiver reassembles one stream of pictures.
type receiver struct {
	reorder   *reorderBuffer
	assembler *assembler
}

func newReceiver(cfg Config, a *agreement, emit func(liveproof.AccessUnit), drop func(dropReason), recycle func() []byte) *receiver {
	r := &receiver{assembler: newAssembler(cfg, a.codecs, emit, drop)}
	r.assembler.recycle, r.assembler.fmtp = recycle, a.formats
	r.reorder = newReorderBuffer(cfg.ReorderPackets, cfg.ReorderTime, r.assembler.push)
	r.reorder.begins = r.assembler.begins
	return r
}

// lacks reports whether others wait for exactly this packet.
func (r *receiver) lacks(p packet) bool {
	const near = 10 * clockRate // ticks
	newest, waits := r.reorder.waits(p.sequence)
	apart := int32(p.timestamp - newest)
	return waits && apart > -near && apart < near
}

// readPackets calls handle for each packet until the queue is closed.
func readPackets(from *packetio.Buffer, handle func(packet []byte) error) error {
	buffer := make([]byte, receiveMTU)
	for {
		n, _, err := from.Read(buffer, nil)
		switch {
		case errors.Is(err, io.ErrShortBuffer): // it is longer than any packet that is taken
			n = 0
		case err != nil:
			return nil //nolint:nilerr // closed
		}
		if err := handle(buffer[:n]); err != nil {
			return err
		}
	}
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
