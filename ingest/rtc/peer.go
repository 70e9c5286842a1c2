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

	"github.com/pion/rtcp"
	"github.com/pion/transport/v5/packetio"
	"github.com/pion/webrtc/v4"
	"golang.org/x/time/rate"

	"github.com/liveproof/liveproof"
)

const (
	streamBuffer = 256 << 10 // bytes of SRTP or SRTCP that wait for their reader, for each stream
	gatherLimit  = 2 * time.Second
)

// Peer is one receive-only peer connection. All methods are safe for concurrent use.
type Peer struct {
	api         *API
	id          liveproof.SessionID
	log         *slog.Logger
	pc          *webrtc.PeerConnection
	onCandidate func(webrtc.ICECandidateInit)

	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	failed    chan error // why the peer ends by itself, holds the first
	connected chan struct{}
	tracked   chan struct{} // video is set
	done      chan struct{} // the peer has ended, err is set
	released  chan struct{} // and its goroutines with it
	err       error

	created    time.Time
	lastPacket atomic.Int64 // nanoseconds since created
	streams    atomic.Int64
	readers    sync.WaitGroup

	negotiation sync.Mutex    // held while an offer or a restart is answered; taken before mu
	restarts    *rate.Limiter // of ICE

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
	video       *Video
}

func newPeer(a *API, id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (*Peer, error) {
	p := &Peer{
		api: a, id: id, log: a.log.With("session", id), onCandidate: onCandidate, created: time.Now(),
		failed: make(chan error, 1), connected: make(chan struct{}), tracked: make(chan struct{}),
		gathered: make(chan struct{}), restarts: rate.NewLimiter(rate.Every(RestartEvery), restartBurst), done: make(chan struct{}), released: make(chan struct{}),
	}
	settings := a.settings
	settings.BufferFactory = p.newBuffer
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(a.engine),
		webrtc.WithInterceptorRegistry(a.interceptors)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, fmt.Errorf("peer connection: %w", err)
	}
	p.pc = pc
	p.ctx, p.cancel = context.WithCancel(context.Background())
	pc.OnICECandidate(p.gather)
	pc.OnConnectionStateChange(p.follow)
	pc.OnTrack(p.receive)
	go p.run() // ends with Close or a failure; Close waits for it
	return p, nil
}

// newBuffer is called for every new SSRC, after its first packet was
// authenticated; a sender of ever new ones is cut off.
func (p *Peer) newBuffer(packetio.BufferPacketType, uint32) io.ReadWriteCloser {
	b := streamQueue{packetio.NewBuffer()}
	b.SetLimitSize(streamBuffer)
	if p.streams.Add(1) > 2*int64(p.api.cfg.MaxStreams) { // RTP and RTCP of each
		p.fail(fmt.Errorf("more than %d streams: %w", p.api.cfg.MaxStreams, ErrFlood))
	}
	return b
}

// streamQueue is the bounded queue of one SSRC's packets; when it is full, new ones are dropped.
type streamQueue struct{ *packetio.Buffer }

func (q streamQueue) Read(b []byte) (int, error) {
	n, _, err := q.Buffer.Read(b, nil)
	return n, err
}

func (q streamQueue) Write(b []byte) (int, error) { return q.Buffer.Write(b, nil) }

// run waits for the end of the peer, publishes it and releases everything.
func (p *Peer) run() {
	err := p.supervise()
	p.mu.Lock()
	p.ended, p.err = true, err
	video := p.video
	p.mu.Unlock()
	close(p.done)
	p.api.metrics.ended.WithLabelValues(endReason(err)).Inc()
	p.cancel()
	if closeErr := p.pc.GracefulClose(); closeErr != nil {
		p.log.Debug("peer connection closed", "error", closeErr)
	}
	p.readers.Wait()
	if video != nil {
		video.close()
	}
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

// receive is told of tracks by pion; the first video track counts, audio is thrown away, others are not read.
func (p *Peer) receive(track *webrtc.TrackRemote, rtpReceiver *webrtc.RTPReceiver) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended && track.Kind() == webrtc.RTPCodecTypeAudio {
		p.readers.Go(func() { p.discard(track) })
	}
	if p.ended || p.video != nil || track.Kind() != webrtc.RTPCodecTypeVideo {
		return
	}
	ssrc := uint32(track.SSRC())
	p.video = newVideo(p.api.cfg, p.api.metrics, func() {
		if err := p.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}); err != nil {
			p.log.Debug("key frame request", "error", err)
		}
	})
	p.video.sendFIR = p.fullIntraRequest(ssrc, rtpReceiver.GetParameters())
	r := newReceiver(p.api.cfg, p.video, rtpReceiver.GetParameters())
	p.readers.Go(func() { p.readMedia(track, r) })
	p.readers.Go(func() { p.readControl(rtpReceiver) })
	close(p.tracked)
}

func (p *Peer) readMedia(track packetReader, r *receiver) {
	err := readPackets(track, func(raw []byte, err error) error {
		p.touch()
		if err != nil {
			r.video.drop(dropMalformed)
			return nil //nolint:nilerr // a packet that cannot be parsed is counted, and the next one read
		}
		return r.handle(raw, time.Now())
	})
	r.video.close()
	if err != nil {
		p.fail(err)
	}
}

// discard throws packets away; it does not count as media, so that audio alone is idle.
func (p *Peer) discard(track packetReader) { p.drain(track) }

// readControl drains the sender's RTCP, which drives the receiver reports.
func (p *Peer) readControl(rtpReceiver packetReader) { p.drain(rtpReceiver) }

// drain reads without a use for what it reads, and cuts a flood off.
func (p *Peer) drain(from packetReader) {
	limit := rateLimit{perSecond: p.api.cfg.MaxPacketRate}
	err := readPackets(from, func([]byte, error) error {
		if !limit.allow(time.Now()) {
			return ErrFlood
		}
		return nil
	})
	if errors.Is(err, ErrFlood) {
		p.fail(err)
	}
}

// Video blocks until the first video track has its first packet. It returns
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
