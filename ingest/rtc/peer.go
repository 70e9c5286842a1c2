package rtc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/transport/v5/packetio"
	"github.com/pion/webrtc/v4"
	"golang.org/x/time/rate"

	"github.com/liveproof/liveproof"
)

const (
	mediaBuffer   = 1 << 20  // bytes of RTP that wait for their reader
	controlBuffer = 64 << 10 // bytes of RTCP
	gatherLimit   = 2 * time.Second
)

// Peer is one receive-only peer connection. All methods are safe for concurrent use.
type Peer struct {
	api         *API
	log         *slog.Logger
	pc          *webrtc.PeerConnection
	onCandidate func(webrtc.ICECandidateInit)

	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	failed    chan error // why the peer ends by itself, holds the first
	connected chan struct{}
	tracked   chan struct{} // the first media packet came
	done      chan struct{} // the peer has ended, err is set
	released  chan struct{} // and its goroutines with it
	err       error

	created    time.Time
	lastPacket atomic.Int64 // nanoseconds since created
	ssrcs      atomic.Int64 // of RTP and of RTCP
	media      *packetio.Buffer
	control    *packetio.Buffer
	feedback   *feedback
	streams    *streams
	video      *Video
	readers    sync.WaitGroup
	hasMedia   bool          // readMedia's alone
	commands   atomic.Uint32 // of FIR

	negotiation sync.Mutex    // held while an offer or a restart is answered; taken before mu
	restarts    *rate.Limiter // of ICE
	restarted   *Restarted    // the last one that a fragment asked for; guarded by negotiation

	mu          sync.Mutex
	ended       bool
	answered    bool // local candidates go to onCandidate from now on
	allGathered bool
	remoteSet   bool
	isConnected bool
	offered     *offer                    // the first offer, once it is taken
	remote      credentials               // of the current ICE session
	iceSession  int                       // counts the ICE sessions, from 1
	candidates  int                       // remote ones of this ICE session, capped
	early       []webrtc.ICECandidateInit // for an offer or a restart that is still to come
	local       []webrtc.ICECandidateInit
	gathered    chan struct{} // closed when local candidates are complete; each ICE session has its own
}

func newPeer(a *API, id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (*Peer, error) {
	p := &Peer{
		api: a, log: a.log.With("session", id), onCandidate: onCandidate, created: time.Now(),
		failed: make(chan error, 1), connected: make(chan struct{}), tracked: make(chan struct{}),
		gathered: make(chan struct{}), restarts: rate.NewLimiter(rate.Every(RestartEvery), restartBurst), done: make(chan struct{}), released: make(chan struct{}),
	}
	if err := p.connect(); err != nil {
		return nil, err
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.pc.OnICECandidate(p.gather)
	p.pc.OnConnectionStateChange(p.follow)
	p.readers.Go(p.readMedia)
	p.readers.Go(p.readControl)
	go p.run() // ends with Close or a failure; Close waits for it
	return p, nil
}

// connect makes the peer connection and what takes its media.
func (p *Peer) connect() (err error) {
	a := p.api
	p.media, p.control = packetio.NewBuffer(), packetio.NewBuffer()
	p.media.SetLimitSize(mediaBuffer)
	p.control.SetLimitSize(controlBuffer)
	settings := a.settings
	settings.BufferFactory = p.newBuffer
	p.pc, err = webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(a.engine),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return fmt.Errorf("peer connection: %w", err)
	}
	if p.feedback, err = a.feedback.newFeedback(p.pc.WriteRTCP); err != nil {
		return errors.Join(fmt.Errorf("feedback: %w", err), p.pc.GracefulClose())
	}
	p.video = newVideo(a.cfg, a.metrics, func() { p.requestKeyFrame(p.streams.layers.inUse()) })
	p.video.sendFIR, p.video.roundTrip = p.fullIntraRequest, p.roundTrip
	p.streams = newStreams(a.cfg, p.video, p.feedback, p.log, p.requestKeyFrame, p.requestBitrate)
	return nil
}

func (p *Peer) requestKeyFrame(ssrc uint32) {
	if err := p.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}); err != nil {
		p.log.Debug("key frame request", "error", err)
	}
}

// newBuffer is called for every new SSRC, after its first packet was
// authenticated; a sender of ever new ones is cut off.
func (p *Peer) newBuffer(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	if ssrc != probeSSRC && p.ssrcs.Add(1) > 2*int64(p.api.cfg.MaxStreams) { // RTP and RTCP of each
		p.fail(fmt.Errorf("more than %d streams: %w", p.api.cfg.MaxStreams, ErrFlood))
	}
	if kind == packetio.RTPBufferPacket {
		return inlet{p.media}
	}
	return inlet{p.control}
}

// run waits for the end of the peer, publishes it and releases everything.
func (p *Peer) run() {
	err := p.supervise()
	p.mu.Lock()
	p.ended, p.err = true, err
	p.mu.Unlock()
	close(p.done)
	p.api.metrics.ended.WithLabelValues(endReason(err)).Inc()
	p.cancel()
	if closeErr := p.pc.GracefulClose(); closeErr != nil {
		p.log.Debug("peer connection closed", "error", closeErr)
	}
	p.feedback.close()
	_, _ = p.media.Close(), p.control.Close()
	p.readers.Wait()
	p.video.close()
	p.api.forget(p)
	close(p.released)
}

// supervise returns nil when the peer is closed on this side, else why it ended.
func (p *Peer) supervise() error {
	cfg := p.api.cfg
	ticker := time.NewTicker(min(cfg.ConnectTimeout, cfg.IdleTimeout) / 10)
	defer ticker.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return nil
		case err := <-p.failed:
			return err
		case <-ticker.C:
			if err := p.overdue(time.Since(p.created)); err != nil {
				return err
			}
		}
	}
}

// overdue checks the time limits; age counts from the peer's creation.
func (p *Peer) overdue(age time.Duration) error {
	select {
	case <-p.connected:
	default:
		if age > p.api.cfg.ConnectTimeout {
			return ErrConnectTimeout
		}
		return nil
	}
	if quiet := age - time.Duration(p.lastPacket.Load()); quiet > p.api.cfg.IdleTimeout {
		return fmt.Errorf("for %v: %w", quiet.Round(time.Second/10), liveproof.ErrIdle)
	}
	return nil
}

func (p *Peer) fail(err error) {
	select {
	case p.failed <- err:
	default:
	}
}

// follow is told of connection states by pion, one after the other.
func (p *Peer) follow(state webrtc.PeerConnectionState) {
	p.log.Debug("peer connection", "state", state.String())
	switch state {
	case webrtc.PeerConnectionStateConnected:
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.isConnected {
			p.isConnected = true
			p.touch() // idleness counts from here
			close(p.connected)
		}
	case webrtc.PeerConnectionStateFailed:
		if p.pc.SCTP().Transport().State() == webrtc.DTLSTransportStateFailed {
			p.fail(ErrHandshake)
			return
		}
		p.fail(fmt.Errorf("ICE failed: %w", ErrLost))
	case webrtc.PeerConnectionStateClosed:
		p.fail(fmt.Errorf("closed by the other side: %w", ErrLost))
	}
}

func (p *Peer) touch() { p.lastPacket.Store(int64(time.Since(p.created))) }

// readMedia takes the RTP packets of all streams.
func (p *Peer) readMedia() {
	err := readPackets(p.media, func(raw []byte) error {
		media, err := p.streams.handle(raw, time.Now())
		if media {
			p.noteMedia()
		}
		return err
	})
	p.video.close()
	if err != nil {
		p.fail(err)
	}
}

// noteMedia is called for every packet that may become part of a picture.
func (p *Peer) noteMedia() {
	p.touch()
	if !p.hasMedia {
		p.hasMedia = true
		close(p.tracked)
	}
}

// readControl takes the sender's RTCP, which drives the receiver reports.
func (p *Peer) readControl() {
	rate := rateLimit{perSecond: p.api.cfg.MaxPacketRate}
	err := readPackets(p.control, func(raw []byte) error {
		if !rate.allow(time.Now()) {
			return ErrFlood
		}
		attributes := interceptor.Attributes{}
		_, _, _ = p.feedback.control.Read(raw, attributes) // what cannot be parsed reports nothing
		p.noteReports(raw, attributes, time.Now())
		return nil
	})
	if err != nil {
		p.fail(err)
	}
}

// Video blocks until the first packet of video. It returns
// ctx's error, or why the peer ended (ErrClosed after Close).
func (p *Peer) Video(ctx context.Context) (*Video, error) {
	select {
	case <-p.tracked:
		return p.video, nil
	case <-p.done:
		return nil, p.ending()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Connected is closed once ICE and DTLS are up.
func (p *Peer) Connected() <-chan struct{} { return p.connected }

// Done is closed when the peer has ended, for whatever reason.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Err is why the peer ended by itself: ErrConnectTimeout, ErrLost,
// ErrHandshake, ErrFlood or liveproof.ErrIdle. It is nil before Done is closed
// and when Close ended the peer.
func (p *Peer) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

func (p *Peer) ending() error {
	if err := p.Err(); err != nil {
		return err
	}
	return ErrClosed
}

// Stats of the video so far; zero before it begins.
func (p *Peer) Stats() Stats {
	select {
	case <-p.tracked:
		return p.video.Stats()
	default:
		return Stats{Dropped: map[string]int64{}}
	}
}

// Close ends the peer and waits for its goroutines. It is idempotent, and must
// be called for a peer that ended by itself too. Not from onCandidate.
func (p *Peer) Close() error {
	p.cancel()
	<-p.released
	return nil
}
