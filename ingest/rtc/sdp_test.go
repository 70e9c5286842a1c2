package rtc

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// chromeOffer is what Chromium offers for audio, a simulcast camera and a data
// channel in one bundle (shortened).
const chromeOffer = `v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
a=msid-semantic: WMS s
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 0f9c7c1e-8a3e-4a51-9d0c-3f0d9a1b2c3d.local 51472 typ host generation 0 network-cost 999
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=ice-options:trickle
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=msid:s a
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6
m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 39 40 98 99 45 46 100 101 123
c=IN IP4 0.0.0.0
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=ice-options:trickle
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:1
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:13 urn:3gpp:video-orientation
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=sendonly
a=msid:s v
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:103 H264/90000
a=rtcp-fb:103 nack
a=rtcp-fb:103 nack pli
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:104 rtx/90000
a=fmtp:104 apt=103
a=rtpmap:39 H264/90000
a=fmtp:39 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=64001f
a=rtpmap:40 rtx/90000
a=fmtp:40 apt=39
a=rtpmap:98 VP9/90000
a=rtcp-fb:98 nack pli
a=fmtp:98 profile-id=0
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
a=rtpmap:45 AV1/90000
a=fmtp:45 level-idx=5;profile=0;tier=0
a=rtpmap:46 rtx/90000
a=fmtp:46 apt=45
a=rtpmap:100 VP9/90000
a=fmtp:100 profile-id=2
a=rtpmap:101 rtx/90000
a=fmtp:101 apt=100
a=rtpmap:123 ulpfec/90000
a=rid:h send
a=rid:l send
a=simulcast:send h;l
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F
a=setup:actpass
a=mid:2
a=sctp-port:5000
a=max-message-size:262144
`

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func answerTo(t *testing.T, cfg Config, offer string) (*sdp.SessionDescription, error) {
	t.Helper()
	p, err := newTestAPI(t, cfg).NewPeer("01TEST", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	text, err := p.Answer(t.Context(), offer)
	if err != nil {
		return nil, err
	}
	answer := &sdp.SessionDescription{}
	if err := answer.UnmarshalString(text); err != nil {
		t.Fatal(err)
	}
	return answer, nil
}

func count(section *sdp.MediaDescription, key string) (n int) {
	for _, a := range section.Attributes {
		if a.Key == key {
			n++
		}
	}
	return n
}

func TestAnswerToABrowser(t *testing.T) {
	answer, err := answerTo(t, testConfig(), crlf(chromeOffer))
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.MediaDescriptions) != 3 {
		t.Fatalf("%d sections", len(answer.MediaDescriptions))
	}
	audio, video, data := answer.MediaDescriptions[0], answer.MediaDescriptions[1], answer.MediaDescriptions[2]
	if _, inactive := audio.Attribute("inactive"); !inactive || audio.MediaName.Port.Value == 0 {
		t.Errorf("audio must be inactive, and carry the bundle: %+v", audio.MediaName)
	}
	if count(audio, "candidate") < 2 || count(audio, "end-of-candidates") != 1 || count(video, "candidate") != 0 {
		t.Errorf("candidates: audio %d, video %d", count(audio, "candidate"), count(video, "candidate"))
	}
	if _, receives := video.Attribute("recvonly"); !receives || video.MediaName.Port.Value == 0 {
		t.Errorf("video must be received: %+v", video)
	}
	if simulcast, _ := video.Attribute("simulcast"); simulcast != "recv h;l" || count(video, "rid") != 2 {
		t.Errorf("simulcast %q with %d rids", simulcast, count(video, "rid"))
	}
	if got := strings.Join(video.MediaName.Formats, " "); got != "96 97 103 104 39 40 98 99 100 101 45 46" && !strings.HasPrefix(got, "96 ") {
		t.Errorf("formats %s", got)
	}
	for _, format := range []string{"96", "97", "103", "39", "98", "100", "45"} {
		if !strings.Contains(" "+strings.Join(video.MediaName.Formats, " ")+" ", " "+format+" ") {
			t.Errorf("format %s is missing in %v", format, video.MediaName.Formats)
		}
	}
	if data.MediaName.Port.Value != 0 || data.MediaName.Media != "application" {
		t.Errorf("data channels are not refused: %+v", data.MediaName)
	}
	if group, _ := answer.Attribute("group"); group != "BUNDLE 0 1" {
		t.Errorf("group %q", group)
	}
	text := fmt.Sprint(video.Attributes)
	for _, want := range []string{"96 nack pli", "96 transport-cc", "96 ccm fir", orientationURI, sdp.TransportCCURI, sdp.SDESRTPStreamIDURI, "h recv", "l recv"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

func TestCodecOrderIsOurs(t *testing.T) {
	cfg := testConfig()
	cfg.Codecs = []liveproof.Codec{liveproof.CodecH264, liveproof.CodecAV1}
	answer, err := answerTo(t, cfg, crlf(chromeOffer))
	if err != nil {
		t.Fatal(err)
	}
	formats := strings.Join(answer.MediaDescriptions[1].MediaName.Formats, " ")
	if !strings.HasPrefix(formats, "103 ") || strings.Contains(formats, "96") || strings.Contains(formats, "98") || !strings.Contains(formats, "45") {
		t.Fatalf("formats %s", formats)
	}
}

// TestH264Profiles: whatever profile a sender has only, it is accepted with its own number.
func TestH264Profiles(t *testing.T) {
	for _, id := range []string{"42001f", "42e01f", "42c01f", "42e034", "4d001f", "4d4028", "640c1f", "64001f", "640032", "f4001f"} {
		for mode := range 2 {
			offer := strings.ReplaceAll(chromeOffer, "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 39 40 98 99 45 46 100 101 123", "m=video 9 UDP/TLS/RTP/SAVPF 103 104")
			offer = strings.ReplaceAll(offer, "packetization-mode=1;profile-level-id=42001f", fmt.Sprintf("packetization-mode=%d;profile-level-id=%s", mode, id))
			answer, err := answerTo(t, testConfig(), crlf(offer))
			if err != nil {
				t.Errorf("%s mode %d: %v", id, mode, err)
				continue
			}
			if got := answer.MediaDescriptions[1].MediaName.Formats; len(got) != 2 || got[0] != "103" || got[1] != "104" {
				t.Errorf("%s mode %d: formats %v", id, mode, got)
			}
		}
	}
}

func TestOffersThatAreRefused(t *testing.T) {
	video := chromeOffer[strings.Index(chromeOffer, "m=video"):strings.Index(chromeOffer, "m=application")]
	head := chromeOffer[:strings.Index(chromeOffer, "m=audio")]
	for name, c := range map[string]struct {
		offer string
		want  error
	}{
		"empty":               {"", ErrBadSDP},
		"not SDP":             {"hello", ErrBadSDP},
		"binary":              {"v=0\n\x00\xff", ErrBadSDP},
		"too large":           {chromeOffer + strings.Repeat("a=x\n", 64<<10), ErrBadSDP},
		"too many sections":   {head + strings.Repeat(video, 17), ErrBadSDP},
		"no section":          {head, ErrNoVideo},
		"no video":            {strings.ReplaceAll(chromeOffer, "m=video 9", "m=video 0"), ErrNoVideo},
		"receives only":       {strings.ReplaceAll(chromeOffer, "a=sendonly", "a=recvonly"), ErrNoVideo},
		"inactive":            {strings.ReplaceAll(chromeOffer, "a=sendonly", "a=inactive"), ErrNoVideo},
		"no mid":              {strings.ReplaceAll(chromeOffer, "a=mid:1\n", ""), ErrBadSDP},
		"same mid":            {strings.ReplaceAll(chromeOffer, "a=mid:1\n", "a=mid:0\n"), ErrBadSDP},
		"no fingerprint":      {strings.ReplaceAll(chromeOffer, "a=fingerprint", "a=finger"), ErrBadSDP},
		"no ICE credentials":  {strings.ReplaceAll(chromeOffer, "a=ice-", "a=nice-"), ErrBadSDP},
		"no codec in common":  {strings.NewReplacer("VP8/90000", "VP6/90000", "VP9/90000", "H263/90000", "H264/90000", "H261/90000", "AV1/90000", "AV9/90000").Replace(chromeOffer), liveproof.ErrUnsupportedCodec},
		"no format at all":    {strings.ReplaceAll(chromeOffer, "SAVPF 96 97 103 104 39 40 98 99 45 46 100 101 123", "SAVPF 34"), liveproof.ErrUnsupportedCodec},
		"a broken attribute":  {strings.ReplaceAll(chromeOffer, "a=extmap:13 ", "a=extmap:x "), ErrBadSDP},
		"an unknown hash":     {strings.ReplaceAll(chromeOffer, "sha-256 ", "sha-256"), ErrBadSDP},
		"bundle on a gone id": {strings.ReplaceAll(chromeOffer, "BUNDLE 0 1 2", "BUNDLE 7 8"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := answerTo(t, testConfig(), crlf(c.offer))
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil && !errors.Is(err, ErrBadSDP) {
				t.Fatalf("%v is no ErrBadSDP", err)
			}
		})
	}
}

func TestOffersThatAreTaken(t *testing.T) {
	video := chromeOffer[strings.Index(chromeOffer, "m=video"):strings.Index(chromeOffer, "m=application")]
	head := chromeOffer[:strings.Index(chromeOffer, "m=audio")]
	fec := strings.ReplaceAll(chromeOffer, "103 104 39", "103 104 34 39") // a static type without rtpmap
	for name, offer := range map[string]string{
		"video alone":              strings.ReplaceAll(head, "BUNDLE 0 1 2", "BUNDLE 1") + video,
		"no bundle":                strings.ReplaceAll(head, "a=group:BUNDLE 0 1 2\n", "") + video,
		"sendrecv":                 strings.ReplaceAll(chromeOffer, "a=sendonly", "a=sendrecv"),
		"two cameras":              chromeOffer + strings.ReplaceAll(video, "a=mid:1", "a=mid:3"),
		"bundle only":              strings.ReplaceAll(chromeOffer, "m=video 9 UDP/TLS/RTP/SAVPF", "m=video 0 UDP/TLS/RTP/SAVPF") + "",
		"static type":              fec,
		"unknown audio":            strings.NewReplacer("opus/48000/2", "EVS/16000", "G722/8000", "iLBC/8000", "PCMU/8000", "L16/8000", "PCMA/8000", "L8/8000").Replace(chromeOffer),
		"text and messages":        chromeOffer + "m=text 9 UDP/TLS/RTP/SAVPF 98\nc=IN IP4 0.0.0.0\na=mid:4\nm=message 9 TCP/MSRP *\nc=IN IP4 0.0.0.0\na=mid:5\n",
		"data channel comes first": head + chromeOffer[strings.Index(chromeOffer, "m=application"):] + video,
	} {
		if name == "bundle only" {
			offer = strings.Replace(offer, "a=mid:1\n", "a=mid:1\na=bundle-only\n", 1)
		}
		t.Run(name, func(t *testing.T) {
			answer, err := answerTo(t, testConfig(), crlf(offer))
			if err != nil {
				t.Fatal(err)
			}
			checkAnswer(t, offer, answer)
		})
	}
}

// checkAnswer wants as many sections as offered, in their order, exactly one of
// which receives, and candidates in exactly the first that is not refused.
func checkAnswer(t *testing.T, offer string, answer *sdp.SessionDescription) {
	t.Helper()
	var asked sdp.SessionDescription
	if err := asked.UnmarshalString(crlf(offer)); err != nil {
		t.Fatal(err)
	}
	if len(answer.MediaDescriptions) != len(asked.MediaDescriptions) {
		t.Fatalf("%d sections, asked for %d", len(answer.MediaDescriptions), len(asked.MediaDescriptions))
	}
	receiving, first := 0, true
	for i, section := range answer.MediaDescriptions {
		if section.MediaName.Media != asked.MediaDescriptions[i].MediaName.Media {
			t.Errorf("section %d is %s", i, section.MediaName.Media)
		}
		_, receives := section.Attribute("recvonly")
		_, both := section.Attribute("sendrecv")
		if receives || both {
			receiving++
		}
		taken := section.MediaName.Port.Value != 0
		if has := count(section, "candidate") > 0; has != (taken && first) {
			t.Errorf("section %d (%s, port %d) has candidates: %v", i, section.MediaName.Media, section.MediaName.Port.Value, has)
		}
		first = first && !taken
	}
	if receiving != 1 {
		t.Errorf("%d sections receive", receiving)
	}
}

func TestCandidateLimits(t *testing.T) {
	cfg := testConfig()
	cfg.MaxCandidates = 5
	p, err := newTestAPI(t, cfg).NewPeer("01TEST", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Answer(t.Context(), crlf(chromeOffer)); err != nil { // has one
		t.Fatal(err)
	}
	for i := range 4 {
		if err := p.AddCandidate(webrtc.ICECandidateInit{Candidate: fmt.Sprintf("candidate:1 1 udp 1 192.0.2.%d 5000 typ host", i+1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.AddCandidate(webrtc.ICECandidateInit{Candidate: "candidate:1 1 udp 1 192.0.2.9 5000 typ host"}); !errors.Is(err, ErrTooManyCandidates) {
		t.Fatal(err)
	}
	for _, bad := range []string{"x", "candidate:", "candidate:1 1 udp 1 224.0.0.1 5000 typ host", "candidate:1 1 udp 1 0.0.0.0 5000 typ host",
		"candidate:1 1 udp 1 255.255.255.255 5000 typ host", "candidate:1 1 udp 1 192.0.2.1 99999 typ host", strings.Repeat("candidate:1 ", 200)} {
		if err := p.AddCandidate(webrtc.ICECandidateInit{Candidate: bad}); !errors.Is(err, ErrBadCandidate) {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
}

func TestFragments(t *testing.T) {
	for name, c := range map[string]struct {
		fragment string
		want     error
	}{
		"empty":             {"", nil},
		"the offer's":       {"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n", nil},
		"restart":           {"a=ice-ufrag:other\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", ErrRestartUnsupported},
		"two user names":    {"a=ice-ufrag:EsAw\r\na=ice-ufrag:other\r\n", ErrBadSDP},
		"no lines":          {"hello", ErrBadSDP},
		"too large":         {strings.Repeat("a=x\r\n", 64<<10), ErrBadSDP},
		"a broken one":      {"a=candidate:1 1 udp\r\n", ErrBadCandidate},
		"more than the cap": {strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n", 65), ErrTooManyCandidates},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := newTestAPI(t, testConfig()).NewPeer("01TEST", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if _, err := p.Answer(t.Context(), crlf(chromeOffer)); err != nil {
				t.Fatal(err)
			}
			if err := p.AddFragment(c.fragment); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}
