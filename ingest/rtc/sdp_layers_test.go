package rtc

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"github.com/liveproof/liveproof"
)

// videoOffer is an offer of one video section with these further lines.
func videoOffer(lines ...string) string {
	head := chromeOffer[:strings.Index(chromeOffer, "m=audio")]
	video := chromeOffer[strings.Index(chromeOffer, "m=video"):strings.Index(chromeOffer, "a=rid:h")]
	return strings.ReplaceAll(head, "BUNDLE 0 1 2", "BUNDLE 1") + video + strings.Join(append(lines, ""), "\n")
}

// declared are the lines of one stream with its retransmissions, as browsers write them.
func declared(primary, repair uint32) []string {
	return []string{
		fmt.Sprintf("a=ssrc-group:FID %d %d", primary, repair),
		fmt.Sprintf("a=ssrc:%d cname:c", primary), fmt.Sprintf("a=ssrc:%d msid:s v", primary),
		fmt.Sprintf("a=ssrc:%d cname:c", repair), fmt.Sprintf("a=ssrc:%d msid:s v", repair),
	}
}

// simulcastOffers are what senders of several streams offer in one section.
var simulcastOffers = map[string]struct {
	offer     string
	streams   int    // announced
	simulcast string // in the answer
	repairs   map[uint32]uint32
}{
	"one stream":         {videoOffer(declared(1, 11)...), 1, "", map[uint32]uint32{11: 1}},
	"nothing announced":  {videoOffer(), 0, "", nil},
	"rids":               {videoOffer("a=rid:h send", "a=rid:m send", "a=rid:l send", "a=simulcast:send h;m;l"), 3, "recv h;m;l", nil},
	"rids and SSRCs":     {videoOffer(append(slices.Concat(declared(1, 11), declared(2, 12), declared(3, 13)), "a=rid:q send", "a=rid:h send", "a=rid:f send", "a=simulcast:send q;h;f")...), 3, "recv q;h;f", map[uint32]uint32{11: 1, 12: 2, 13: 3}},
	"SIM group":          {videoOffer(append(slices.Concat(declared(1, 11), declared(2, 12), declared(3, 13)), "a=ssrc-group:SIM 1 2 3")...), 3, "", map[uint32]uint32{11: 1, 12: 2, 13: 3}},
	"SIM group first":    {videoOffer(append([]string{"a=ssrc-group:SIM 1 2"}, slices.Concat(declared(1, 11), declared(2, 12))...)...), 2, "", map[uint32]uint32{11: 1, 12: 2}},
	"SSRCs alone":        {videoOffer("a=ssrc:1 cname:c", "a=ssrc:2 cname:c"), 2, "", nil},
	"many SSRCs":         {videoOffer("a=ssrc:1 cname:c", "a=ssrc:2 cname:c", "a=ssrc:3 cname:c", "a=ssrc:4 cname:c", "a=ssrc:5 cname:c"), 4, "", nil},
	"FEC":                {videoOffer("a=ssrc-group:FEC-FR 1 21", "a=ssrc:1 cname:c", "a=ssrc:21 cname:c"), 1, "", nil},
	"alternatives":       {videoOffer("a=rid:h send", "a=rid:x send", "a=rid:l send", "a=simulcast:send h,x;~l"), 2, "recv h;~l", nil},
	"Firefox before 59":  {videoOffer("a=rid:h send", "a=rid:l send", "a=simulcast: send rid=h;l"), 2, "recv h;l", nil},
	"restrictions":       {videoOffer("a=rid:h send max-width=1280;max-height=720", "a=rid:l send pt=96,777", "a=rid:x send pt=777", "a=simulcast:send h;l;x"), 3, "recv h;l", nil},
	"more than are used": {videoOffer("a=rid:1 send", "a=rid:2 send", "a=rid:3 send", "a=rid:4 send", "a=rid:5 send", "a=simulcast:send 1;2;3;4;5"), 4, "recv 1;2;3;4", nil},
	"rids without lines": {videoOffer("a=rid:h send", "a=simulcast:send h;l"), 1, "recv h", nil},
	"lines alone":        {videoOffer("a=rid:h send", "a=rid:l send"), 0, "", nil},
	"received rids":      {videoOffer("a=rid:h recv", "a=simulcast:recv h"), 0, "", nil},
	"the same rid twice": {videoOffer("a=rid:h send", "a=simulcast:send h;h"), 1, "recv h", nil},
	"no rid":             {videoOffer("a=rid:ü send", "a=rid: send", "a=rid", "a=simulcast:send ü;;", "a=simulcast:"), 0, "", nil},
	"broken groups":      {videoOffer("a=ssrc-group:FID 1", "a=ssrc-group:FID 1 x", "a=ssrc-group:FID 1 2 3", "a=ssrc-group:", "a=ssrc:x", "a=ssrc:99999999999 cname:c"), 0, "", nil},
}

func TestSimulcastOffers(t *testing.T) {
	for name, c := range simulcastOffers {
		t.Run(name, func(t *testing.T) {
			o, err := parseOffer(testConfig(), crlf(c.offer))
			if err != nil {
				t.Fatal(err)
			}
			if o.announced.streams != c.streams || !maps.Equal(o.announced.repairs, c.repairs) {
				t.Errorf("%d streams, repairs %v", o.announced.streams, o.announced.repairs)
			}
			answer, err := answerTo(t, testConfig(), crlf(c.offer))
			if err != nil {
				t.Fatal(err)
			}
			checkAnswer(t, c.offer, answer)
			video := answer.MediaDescriptions[0]
			if simulcast, _ := video.Attribute("simulcast"); simulcast != c.simulcast {
				t.Errorf("answered simulcast:%s, want %s", simulcast, c.simulcast)
			}
			if want := strings.Count(c.simulcast, ";") + 1; c.simulcast != "" && count(video, "rid") != want {
				t.Errorf("%d rids, want %d", count(video, "rid"), want)
			}
			if count(video, "ssrc") != 0 {
				t.Error("the answer declares streams that this side does not send")
			}
		})
	}
}

// TestRestrictionsAreRepeated: RFC 8851, 6.3; payload types that were not accepted are left out.
func TestRestrictionsAreRepeated(t *testing.T) {
	answer, err := answerTo(t, testConfig(), crlf(simulcastOffers["restrictions"].offer))
	if err != nil {
		t.Fatal(err)
	}
	var rids []string
	for _, a := range answer.MediaDescriptions[0].Attributes {
		if a.Key == "rid" {
			rids = append(rids, a.Value)
		}
	}
	if !slices.Equal(rids, []string{"h recv max-width=1280;max-height=720", "l recv pt=96"}) {
		t.Fatalf("%q", rids)
	}
}

// TestOfferWithDeclaredSimulcast: three layers, each with its SSRC and that of its
// retransmissions, as OBS and older browsers offer them.
func TestOfferWithDeclaredSimulcast(t *testing.T) {
	shared := os.Getenv("LIVEPROOF_SHARED")
	if shared == "" {
		t.Skip("LIVEPROOF_SHARED is not set")
	}
	offer, err := os.ReadFile(filepath.Join(shared, "inputs", "simulcast_ssrc_offer.sdp"))
	if err != nil {
		t.Skip(err)
	}
	answer, err := answerTo(t, testConfig(), string(offer))
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, string(offer), answer)
	if simulcast, _ := answer.MediaDescriptions[0].Attribute("simulcast"); simulcast != "recv q;h;f" {
		t.Errorf("simulcast:%s", simulcast)
	}
	o, err := parseOffer(testConfig(), string(offer))
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint32]uint32{1724122670: 72484504, 514292250: 449195346, 939001266: 1218932380}
	if !maps.Equal(o.announced.repairs, want) || o.announced.streams != 3 {
		t.Errorf("%+v", o.announced)
	}
}

// TestRedundancyIsNotAnswered: RED, ULPFEC and FlexFEC are not received, so they are not in the answer.
func TestRedundancyIsNotAnswered(t *testing.T) {
	offer := strings.Replace(videoOffer("a=rtpmap:120 red/90000", "a=rtpmap:121 rtx/90000", "a=fmtp:121 apt=120", "a=rtpmap:49 flexfec-03/90000", "a=fmtp:49 repair-window=10000000",
		"a=ssrc-group:FEC-FR 1 21", "a=ssrc:1 cname:c", "a=ssrc:21 cname:c"), "100 101 123", "100 101 123 120 121 49", 1)
	answer, err := answerTo(t, testConfig(), crlf(offer))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range answer.MediaDescriptions[0].MediaName.Formats {
		if slices.Contains([]string{"120", "121", "123", "49"}, format) {
			t.Errorf("format %s", format)
		}
	}
}

func TestNegotiatedIn(t *testing.T) {
	section := &sdp.MediaDescription{}
	for _, line := range []string{"rtpmap:96 VP8/90000", "rtpmap:97 rtx/90000", "fmtp:97 apt=96", "rtpmap:103 h264/90000", "fmtp:103 packetization-mode=1; x=y", "rtpmap:104 rtx/90000",
		"fmtp:104 rtx-time=200; apt=103", "rtpmap:300 VP9/90000", "fmtp:105 apt=x", "rtcp-fb:96 nack pli", "rtcp-fb:96 nack", "extmap:4/recvonly " + orientationURI, "extmap:x y", "rtpmap:x", "fmtp"} {
		key, value, _ := strings.Cut(line, ":")
		section.Attributes = append(section.Attributes, sdp.Attribute{Key: key, Value: value})
	}
	n := negotiatedIn(section)
	if !reflect.DeepEqual(n.codecs, map[uint8]liveproof.Codec{96: liveproof.CodecVP8, 103: liveproof.CodecH264}) || !reflect.DeepEqual(n.repairs, map[uint8]uint8{97: 96, 104: 103}) ||
		!n.losses || n.extension(orientationURI) != 4 || n.extension("y") != 0 {
		t.Fatalf("%+v", n)
	}
}
