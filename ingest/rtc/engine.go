package rtc

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

const (
	handshakeTimeout = 10 * time.Second // DTLS
	// handshakeRepeat is after how long a flight of the DTLS handshake without an answer is sent again; each further time takes twice as long. Pion's second, as
	// RFC 6347 (4.2.4.1) has it for any path, makes people wait on lossy ones; browsers begin with 50 ms.
	handshakeRepeat   = 100 * time.Millisecond
	keepaliveInterval = 2 * time.Second // ICE
	replayWindow      = 1024            // SRTP packets; retransmissions come late
	absSendTimeURI    = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
)

// newMediaEngine registers what is received. Audio codecs are there only so
// that an offer's audio section need not be refused; its packets are thrown away.
func newMediaEngine(cfg Config) (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	for _, c := range append(videoCodecs(cfg.Codecs), audioCodecs()...) {
		kind := webrtc.RTPCodecTypeVideo
		if strings.HasPrefix(c.MimeType, "audio/") {
			kind = webrtc.RTPCodecTypeAudio
		}
		if err := m.RegisterCodec(c, kind); err != nil {
			return nil, fmt.Errorf("codec %s: %w", c.MimeType, err)
		}
	}
	for _, uri := range []string{sdp.TransportCCURI, absSendTimeURI, orientationURI,
		sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI} {
		extension := webrtc.RTPHeaderExtensionCapability{URI: uri}
		if err := m.RegisterHeaderExtension(extension, webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverDirectionRecvonly); err != nil {
			return nil, fmt.Errorf("header extension %s: %w", uri, err)
		}
	}
	return m, nil
}

// feedbackMessages are those that this server sends (RFC 4585, 4.2; RFC 5104, 7.1).
var feedbackMessages = []webrtc.RTCPFeedback{
	{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "transport-cc"}, {Type: "goog-remb"},
}

// videoCodecs numbers each format and its retransmission (RFC 4588); the
// numbers do not matter, an answer uses the offer's.
func videoCodecs(names []liveproof.Codec) []webrtc.RTPCodecParameters {
	var out []webrtc.RTPCodecParameters
	next := webrtc.PayloadType(35)
	number := func() webrtc.PayloadType {
		n := next
		if next++; next == 64 { // 64–95 collide with RTCP (RFC 5761)
			next = 96
		}
		return n
	}
	for _, name := range names {
		format := codecs.Find(name)
		for _, fmtp := range format.FMTP {
			primary, repair := number(), number()
			out = append(out,
				webrtc.RTPCodecParameters{PayloadType: primary, RTPCodecCapability: webrtc.RTPCodecCapability{
					MimeType: format.MIMEType(), ClockRate: clockRate, SDPFmtpLine: fmtp, RTCPFeedback: feedbackMessages}},
				webrtc.RTPCodecParameters{PayloadType: repair, RTPCodecCapability: webrtc.RTPCodecCapability{
					MimeType: webrtc.MimeTypeRTX, ClockRate: clockRate, SDPFmtpLine: fmt.Sprintf("apt=%d", primary)}})
		}
	}
	return out
}

func audioCodecs() []webrtc.RTPCodecParameters {
	return []webrtc.RTPCodecParameters{
		{PayloadType: 126, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}},
		{PayloadType: 9, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeG722, ClockRate: 8000}},
		{PayloadType: 0, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}},
		{PayloadType: 8, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMA, ClockRate: 8000}},
	}
}

// newSettings are shared by all peers; ips are the addresses of the sockets. The server gathers its
// own addresses only, and never opens a TCP connection to where a client says.
func newSettings(cfg Config, ips []net.IP, udp ice.UDPMux, tcp ice.TCPMux, loggers logging.LoggerFactory) webrtc.SettingEngine {
	var s webrtc.SettingEngine
	s.LoggerFactory = loggers
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	s.SetICEUDPMux(udp)
	if tcp != nil {
		s.SetICETCPMux(tcp)
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	s.SetNetworkTypes(networks)
	s.DisableActiveTCP(true)
	s.SetIncludeLoopbackCandidate(cfg.usesLoopback())
	if cfg.limited() { // for TCP; UDP offers the addresses of its sockets
		s.SetIPFilter(func(ip net.IP) bool { return slices.ContainsFunc(ips, ip.Equal) })
	}
	s.SetRemoteIPFilter(cfg.keepsRemote)
	// A browser hides its addresses behind mDNS names; it comes to us, and its
	// address is learnt from its checks (peer reflexive), so none is looked up.
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetICETimeouts(cfg.DisconnectedTimeout, cfg.FailedTimeout, min(keepaliveInterval, cfg.DisconnectedTimeout/2))
	s.SetReceiveMTU(receiveMTU)
	s.SetSRTPReplayProtectionWindow(replayWindow)
	s.SetDTLSRetransmissionInterval(handshakeRepeat)
	s.SetDTLSConnectContextMaker(func() (context.Context, func()) {
		return context.WithTimeout(context.Background(), handshakeTimeout)
	})
	return s
}
