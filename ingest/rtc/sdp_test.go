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
	if _, receives := audio.Attribute("recvonly"); !receives || audio.MediaName.Port.Value == 0 {
		t.Errorf("audio must be received, and carry the bundle: %+v", audio)
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
	for _, want := range []string{"96 nack pli", "96 transport-cc", "96 goog-remb", "96 ccm fir", orientationURI, sdp.TransportCCURI, sdp.SDESRTPStreamIDURI, "h recv", "l recv"} {
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

// TestOffersThatAreRefused: each refusal says what is wrong with this offer, and what mends it.
func TestOffersThatAreRefused(t *testing.T) {
	audio := chromeOffer[strings.Index(chromeOffer, "m=audio"):strings.Index(chromeOffer, "m=video")]
	video := chromeOffer[strings.Index(chromeOffer, "m=video"):strings.Index(chromeOffer, "m=application")]
	head := chromeOffer[:strings.Index(chromeOffer, "m=audio")]
	replaced := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(chromeOffer) }
	for name, c := range map[string]struct {
		offer string
		want  error
		says  string
	}{
		"empty":                {"", ErrBadSDP, "not SDP"},
		"not SDP":              {"hello", ErrBadSDP, "begins with the lines v=0"},
		"binary":               {"v=0\n\x00\xff", ErrBadSDP, "not SDP"},
		"JSON":                 {`{"type":"offer","sdp":"v=0"}`, ErrBadSDP, "not SDP"},
		"too large":            {chromeOffer + strings.Repeat("a=x\n", 64<<10), ErrBadSDP, "at most 65536 are read (webrtc.max_sdp_bytes)"},
		"too many sections":    {head + strings.Repeat(video, 17), ErrBadSDP, "17 media sections; at most 16"},
		"no section":           {head, ErrNoVideo, "no video section: add a video track"},
		"audio alone":          {head + audio, ErrNoVideo, "no video section"},
		"video rejected":       {replaced("m=video 9", "m=video 0"), ErrNoVideo, "rejected (port 0)"},
		"receives only":        {replaced("a=sendonly", "a=recvonly"), ErrNoVideo, "must be sendonly or sendrecv"},
		"inactive":             {replaced("a=sendonly", "a=inactive"), ErrNoVideo, "must be sendonly or sendrecv"},
		"no mid":               {replaced("a=mid:1\n", ""), ErrBadSDP, "media section 2 needs an a=mid"},
		"same mid":             {replaced("a=mid:1\n", "a=mid:0\n"), ErrBadSDP, "media section 2 needs an a=mid of its own"},
		"two cameras":          {replaced("BUNDLE 0 1 2", "BUNDLE 0 1 2 3") + strings.ReplaceAll(video, "a=mid:1", "a=mid:3"), ErrTooManyTracks, "2 video tracks are sent; one is accepted"},
		"two microphones":      {replaced("BUNDLE 0 1 2", "BUNDLE 0 1 2 3") + strings.ReplaceAll(audio, "a=mid:0", "a=mid:3"), ErrTooManyTracks, "2 audio tracks are sent; one is accepted"},
		"no bundle":            {replaced("a=group:BUNDLE 0 1 2\n", ""), ErrBadSDP, "a=group:BUNDLE 0 1 is needed"},
		"bundle without video": {replaced("BUNDLE 0 1 2", "BUNDLE 0 2"), ErrBadSDP, "a=group:BUNDLE 0 1 is needed"},
		"bundle on a gone id":  {replaced("BUNDLE 0 1 2", "BUNDLE 7 8"), ErrBadSDP, "a=group:BUNDLE 0 1 is needed"},
		"no fingerprint":       {replaced("a=fingerprint", "a=finger"), ErrBadSDP, "no a=fingerprint"},
		"SDES":                 {replaced("a=fingerprint:sha-256 D2", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), ErrBadSDP, "encrypted by DTLS-SRTP"},
		"an unknown hash":      {replaced("sha-256 ", "md5 "), ErrBadSDP, "a=fingerprint must name a hash"},
		"a hash without space": {replaced("sha-256 ", "sha-256"), ErrBadSDP, "a=fingerprint must name a hash"},
		"a setup of our own":   {replaced("a=setup:actpass", "a=setup:holdconn"), ErrBadSDP, "a=setup must be actpass, active or passive"},
		"no ICE credentials":   {replaced("a=ice-", "a=nice-"), ErrBadSDP, "no ICE credentials: a=ice-ufrag and a=ice-pwd"},
		"no ICE password":      {replaced("a=ice-pwd", "a=pwd"), ErrBadSDP, "no ICE credentials"},
		"a short ICE name":     {replaced("EsAw", "EsA"), ErrBadSDP, "a=ice-ufrag must have 4 to 256"},
		"a short ICE password": {replaced("P2uYro0UCOQ4zxjKXaWCBui1", "P2uYro0UCOQ4zxjKXaWCB"), ErrBadSDP, "a=ice-pwd must have 22 to 256"},
		"no codec in common": {replaced("VP8/90000", "VP6/90000", "VP9/90000", "H263/90000", "H264/90000", "H265/90000", "AV1/90000", "AV9/90000"),
			liveproof.ErrUnsupportedCodec, "offered: VP6, H265, H263, AV9; accepted: VP8, H264, VP9, AV1 (webrtc.codecs)"},
		"no format at all":   {replaced("SAVPF 96 97 103 104 39 40 98 99 45 46 100 101 123", "SAVPF 34"), liveproof.ErrUnsupportedCodec, "offered: none; accepted: VP8"},
		"a hostile codec":    {replaced("VP8/90000", "<script>/90000", "SAVPF 96 97 103 104 39 40 98 99 45 46 100 101 123", "SAVPF 96"), liveproof.ErrUnsupportedCodec, "offered: none"},
		"a broken attribute": {replaced("a=extmap:13 ", "a=extmap:x "), ErrBadSDP, "breaks a rule of SDP"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := answerTo(t, testConfig(), crlf(c.offer))
			if !errors.Is(err, c.want) || !errors.Is(err, ErrBadSDP) {
				t.Fatalf("got %v, want %v and ErrBadSDP", err, c.want)
			}
			var said *OfferError
			if !errors.As(err, &said) || !strings.Contains(said.Detail, c.says) {
				t.Fatalf("says %q, want %q", err, c.says)
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
		"second camera inactive":   chromeOffer + strings.NewReplacer("a=mid:1", "a=mid:3", "a=sendonly", "a=inactive").Replace(video),
		"second video receives":    chromeOffer + strings.NewReplacer("a=mid:1", "a=mid:3", "a=sendonly", "a=recvonly").Replace(video),
		"audio receives":           strings.ReplaceAll(chromeOffer, "a=sendrecv", "a=recvonly"),
		"DTLS client":              strings.ReplaceAll(chromeOffer, "a=setup:actpass", "a=setup:active"),
		"DTLS server":              strings.ReplaceAll(chromeOffer, "a=setup:actpass", "a=setup:passive"),
		"ICE of the session":       strings.ReplaceAll(head, "BUNDLE 0 1 2", "BUNDLE 1") + "a=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\n" + strings.ReplaceAll(video, "a=ice-", "a=nice-"),
		"no trickle, all at once":  strings.ReplaceAll(chromeOffer, "a=ice-options:trickle\n", ""),
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

// checkAnswer wants as many sections as offered, in their order. It receives what
// is sent, and never sends (RFC 9725, 4.2); it has candidates in exactly the first
// section that is not refused, and multiplexes RTCP in each (4.4.1).
func checkAnswer(t *testing.T, offer string, answer *sdp.SessionDescription) {
	t.Helper()
	var asked sdp.SessionDescription
	if err := asked.UnmarshalString(crlf(offer)); err != nil {
		t.Fatal(err)
	}
	if len(answer.MediaDescriptions) != len(asked.MediaDescriptions) {
		t.Fatalf("%d sections, asked for %d", len(answer.MediaDescriptions), len(asked.MediaDescriptions))
	}
	first := true
	for i, section := range answer.MediaDescriptions {
		offered := asked.MediaDescriptions[i]
		if section.MediaName.Media != offered.MediaName.Media {
			t.Errorf("section %d is %s", i, section.MediaName.Media)
		}
		taken := section.MediaName.Port.Value != 0
		sends := count(offered, "recvonly")+count(offered, "inactive") == 0 && offered.MediaName.Media != "application"
		if receives := count(section, "recvonly") == 1; receives != (sends && taken) || count(section, "sendrecv")+count(section, "sendonly") > 0 {
			t.Errorf("section %d: offered %v, answered %v", i, offered.Attributes, section.Attributes)
		}
		if has := count(section, "candidate") > 0; has != (taken && first) {
			t.Errorf("section %d (%s, port %d) has candidates: %v", i, section.MediaName.Media, section.MediaName.Port.Value, has)
		}
		if taken && (count(section, "rtcp-mux") != 1 || count(section, "rtcp-mux-only") != 1) {
			t.Errorf("section %d does not multiplex RTCP: %v", i, section.Attributes)
		}
		if section.MediaName.Media == "video" && sends && !taken {
			t.Errorf("section %d: video is refused", i)
		}
		first = first && !taken
	}
	if options, _ := answer.Attribute("ice-options"); !strings.Contains(options, "trickle") {
		t.Errorf("ice-options %q", options)
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
	const newer = "a=ice-ufrag:other\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
	for name, c := range map[string]struct {
		fragment string
		want     error
		restarts bool
	}{
		"empty":              {"", nil, false},
		"the offer's":        {"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n", nil, false},
		"user name alone":    {"a=ice-ufrag:EsAw\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n", nil, false},
		"restart":            {newer, nil, true},
		"restart of a media": {"m=audio 9 RTP/AVP 0\r\na=mid:0\r\n" + newer + "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n", nil, true},
		"restart, repeated":  {newer + "m=audio 9 RTP/AVP 0\r\n" + newer, nil, true},
		"restart, bad one":   {newer + "a=candidate:1 1 udp\r\n", nil, true},
		"new name alone":     {"a=ice-ufrag:other\r\n", ErrBadSDP, false},
		"new password alone": {"a=ice-ufrag:EsAw\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n", ErrBadSDP, false},
		"old password":       {"a=ice-ufrag:other\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", ErrBadSDP, false},
		"password alone":     {"a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n", ErrBadSDP, false},
		"short password":     {"a=ice-ufrag:other\r\na=ice-pwd:abc\r\n", ErrBadSDP, false},
		"hostile name":       {"a=ice-ufrag:ot\"her:\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n", ErrBadSDP, false},
		"two user names":     {"a=ice-ufrag:EsAw\r\na=ice-ufrag:other\r\n", ErrBadSDP, false},
		"two passwords":      {newer + "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", ErrBadSDP, false},
		"no lines":           {"hello", ErrBadSDP, false},
		"too large":          {strings.Repeat("a=x\r\n", 64<<10), ErrBadSDP, false},
		"a broken one":       {"a=candidate:1 1 udp\r\n", ErrBadCandidate, false},
		"a bad one at last":  {strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n", 65) + "a=candidate:1 1 udp\r\n", ErrTooManyCandidates, false},
		"a bad one at first": {"a=candidate:1 1 udp\r\n" + strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n", 64) + "a=end-of-candidates\r\n", ErrTooManyCandidates, false},
		"more than the cap":  {strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n", 65), ErrTooManyCandidates, false},
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
			restarted, err := p.AddFragment(t.Context(), c.fragment, current(1))
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if (restarted != nil) != c.restarts || (p.ICESession() == 2) != c.restarts {
				t.Fatalf("restarted %v, session %d", restarted, p.ICESession())
			}
		})
	}
}

// current matches the ICE session of this number.
func current(n int) func(int) bool { return func(session int) bool { return session == n } }
