package rtc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

const patience = 30 * time.Second // for what takes milliseconds on an idle machine

// testConfig uses any free ports.
func testConfig() Config {
	cfg := DefaultConfig()
	cfg.UDPPort, cfg.TCPPort = 0, 0
	cfg.Interfaces = []string{"lo"}
	return cfg
}

func newTestAPI(t testing.TB, cfg Config) *API {
	t.Helper()
	api, err := New(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := api.Close(); err != nil {
			t.Error(err)
		}
	})
	return api
}

// client is a real WebRTC sender.
type client struct {
	pc       *webrtc.PeerConnection
	track    *webrtc.TrackLocalStaticSample
	pli      atomic.Int64
	fir      atomic.Int64
	command  atomic.Int64 // sequence number of the newest FIR
	rembs    atomic.Int64 // bitrate requests
	remb     atomic.Int64 // bit/s of the newest
	keyframe chan struct{}
	stop     context.CancelFunc
	running  sync.WaitGroup
}

type clientOptions struct {
	codec    liveproof.Codec
	network  webrtc.NetworkType
	relay    []webrtc.ICEServer              // use these and nothing else
	loss     float64                         // of outgoing RTP, retransmissions included
	repaired bool                            // loss spares retransmissions
	scramble bool                            // every outgoing RTP packet has an SSRC of its own
	bare     bool                            // without a track
	mark     func(h *rtp.Header)             // of every outgoing RTP packet
	shape    func(pc *webrtc.PeerConnection) // before the offer is made
	offer    func(sdp string) string         // rewrites the offer
	settings func(s *webrtc.SettingEngine)   // of the client

	certificates []webrtc.Certificate // of the client; nil makes one
}

func dial(t testing.TB, api *API, o clientOptions) (*client, *Peer) {
	t.Helper()
	c := newClient(t, o)
	return c, connect(t, api, c, o)
}

// connect lets a new peer answer the client.
func connect(t testing.TB, api *API, c *client, o clientOptions) *Peer {
	t.Helper()
	p, err := api.NewPeer("01TEST", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	text := c.offer(t)
	if o.offer != nil {
		text = o.offer(text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer, err := p.Answer(ctx, text)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("%v in answer\n%s", err, answer)
	}
	return p
}

func newClient(t testing.TB, o clientOptions) *client {
	t.Helper()
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	registry := &interceptor.Registry{}
	registry.Add(lossyFactory{o.loss, o.repaired, o.scramble, o.mark}) // nearest to the network: it sees retransmissions too
	if err := webrtc.RegisterDefaultInterceptors(engine, registry); err != nil {
		t.Fatal(err)
	}
	var s webrtc.SettingEngine
	s.LoggerFactory = loggers{slog.New(slog.DiscardHandler)}
	if o.network == 0 {
		o.network = webrtc.NetworkTypeUDP4
	}
	s.SetNetworkTypes([]webrtc.NetworkType{o.network})
	s.SetIncludeLoopbackCandidate(true)
	s.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if o.settings != nil {
		o.settings(&s)
	}
	var configuration webrtc.Configuration
	if o.relay != nil {
		configuration = webrtc.Configuration{ICEServers: o.relay, ICETransportPolicy: webrtc.ICETransportPolicyRelay}
	}
	configuration.Certificates = o.certificates
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(s)).NewPeerConnection(configuration)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{pc: pc, keyframe: make(chan struct{}, 1), stop: func() {}}
	t.Cleanup(c.close)
	if o.codec == "" {
		o.codec = liveproof.CodecVP8
	}
	c.track, err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: codecs.Find(o.codec).MIMEType(), ClockRate: clockRate}, "video", "camera")
	if err != nil {
		t.Fatal(err)
	}
	if o.bare {
		return c
	}
	sender, err := pc.AddTrack(c.track)
	if err != nil {
		t.Fatal(err)
	}
	c.running.Go(func() { c.readFeedback(sender) })
	if o.shape != nil {
		o.shape(pc)
	}
	return c
}

func (c *client) offer(t testing.TB) string {
	t.Helper()
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	select {
	case <-gathered:
	case <-time.After(patience):
		t.Fatal("client gathers no candidates")
	}
	return c.pc.LocalDescription().SDP
}

func (c *client) readFeedback(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if r, ok := p.(*rtcp.ReceiverEstimatedMaximumBitrate); ok {
				c.remb.Store(int64(r.Bitrate))
				c.rembs.Add(1)
			}
			if r, ok := p.(*rtcp.FullIntraRequest); ok && r.MediaSSRC == 0 { // RFC 5104, 4.3.1.2
				c.fir.Add(1)
				c.command.Store(int64(r.FIR[0].SequenceNumber))
			}
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				c.pli.Add(1)
				select {
				case c.keyframe <- struct{}{}:
				default:
				}
			}
		}
	}
}

// play sends frames again and again until close, one each interval; a key frame request
// makes it go on with a key frame.
func (c *client) play(frames []frame, interval time.Duration) {
	ctx, stop := context.WithCancel(context.Background())
	inner := c.stop
	c.stop = func() { stop(); inner() }
	c.running.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-c.keyframe:
				i = (i/keyInterval + 1) * keyInterval
			case <-ticker.C:
			}
			f := frames[i%len(frames)]
			if err := c.track.WriteSample(media.Sample{Data: f.data, Duration: time.Second / 30}); err != nil {
				return
			}
		}
	})
}

func (c *client) close() {
	c.stop()
	_ = c.pc.GracefulClose()
	c.running.Wait()
}

// lossyFactory drops outgoing RTP packets at random, with a fixed seed.
type lossyFactory struct {
	rate     float64
	repaired bool
	scramble bool
	mark     func(h *rtp.Header)
}

func (f lossyFactory) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &lossy{lossyFactory: f, random: rand.New(rand.NewPCG(1, 1))}, nil
}

type lossy struct {
	interceptor.NoOp
	lossyFactory
	mu     sync.Mutex
	random *rand.Rand
}

func (l *lossy) BindLocalStream(info *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		l.mu.Lock()
		lose := l.random.Float64() < l.rate && !(l.repaired && h.SSRC != info.SSRC)
		if l.scramble {
			h.SSRC = l.random.Uint32()
		}
		l.mu.Unlock()
		if l.mark != nil {
			l.mark(h)
		}
		if lose {
			return len(payload), nil
		}
		return next.Write(h, payload, a)
	})
}

func video(t testing.TB, p *Peer) *Video {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	v, err := p.Video(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// next returns the next unit with a copy of its data, which tests keep.
func next(t testing.TB, v *Video) liveproof.AccessUnit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	u, err := v.Next(ctx)
	if err != nil {
		t.Fatalf("%v; %+v", err, v.Stats())
	}
	u.Data = bytes.Clone(u.Data)
	return u
}

// drainUntilEnd wants the video to end, after whatever is queued.
func drainUntilEnd(t testing.TB, v *Video) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if _, err := v.Next(ctx); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			return
		}
	}
}

func wantDone(t testing.TB, p *Peer) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(patience):
		t.Fatal("the peer does not end")
	}
}

// playAudio sends silence, a packet each 20 ms, until close.
func (c *client) playAudio(track *webrtc.TrackLocalStaticSample) {
	ctx, stop := context.WithCancel(context.Background())
	inner := c.stop
	c.stop = func() { stop(); inner() }
	c.running.Go(func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				_ = track.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: 20 * time.Millisecond})
			}
		}
	})
}
