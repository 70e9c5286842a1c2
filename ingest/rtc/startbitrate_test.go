package rtc

import (
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

// TestStartBitrate: the answer to simulcast gives it to each codec with transport-wide feedback, beside the parameters that are there, and to no other.
func TestStartBitrate(t *testing.T) {
	answer, err := answerTo(t, testConfig(), crlf(chromeOffer))
	if err != nil {
		t.Fatal(err)
	}
	const parameter = "x-google-start-bitrate=1000"
	video := answer.MediaDescriptions[1]
	for format, feedback := range map[string]bool{"96": true, "97": false, "98": false, "103": false} {
		if got := strings.Contains(parametersOf(video, format), parameter); got != feedback {
			t.Errorf("format %s: %q", format, parametersOf(video, format))
		}
	}
	answer, err = answerTo(t, testConfig(), crlf(strings.ReplaceAll(chromeOffer, "a=rtcp-fb:103 nack pli", "a=rtcp-fb:103 nack pli\na=rtcp-fb:103 transport-cc")))
	if err != nil {
		t.Fatal(err)
	}
	if got := parametersOf(answer.MediaDescriptions[1], "103"); !strings.HasPrefix(got, "103 level-asymmetry-allowed=1;") || !strings.HasSuffix(got, ";"+parameter) {
		t.Errorf("H.264: %q", got)
	}
	for name, offer := range map[string]string{
		"without transport-wide feedback": withoutTransportFeedback(chromeOffer),
		"without simulcast":               strings.ReplaceAll(chromeOffer, "a=simulcast", "a=x-none"),
	} {
		answer, err := answerTo(t, testConfig(), crlf(offer))
		if err != nil {
			t.Fatal(err)
		}
		if raw, _ := answer.Marshal(); strings.Contains(string(raw), "x-google") {
			t.Errorf("a sender %s got it:\n%s", name, raw)
		}
	}
}

func parametersOf(section *sdp.MediaDescription, format string) string {
	var found []string
	for _, a := range section.Attributes {
		if a.Key == "fmtp" && strings.HasPrefix(a.Value, format+" ") {
			found = append(found, a.Value)
		}
	}
	return strings.Join(found, "\n")
}

// TestREMBInstead: only a sender that gets no transport-wide feedback is asked by REMB; feedback without its header extension never comes.
func TestREMBInstead(t *testing.T) {
	for name, tt := range map[string]struct {
		offer string
		want  bool
	}{
		"both":                    {chromeOffer, false},
		"REMB":                    {withoutTransportFeedback(chromeOffer), true},
		"without the extension":   {strings.ReplaceAll(chromeOffer, sdp.TransportCCURI, "urn:x-none"), true},
		"transport-wide feedback": {strings.ReplaceAll(chromeOffer, " goog-remb", " x-none"), false},
		"neither":                 {withoutTransportFeedback(strings.ReplaceAll(chromeOffer, " goog-remb", " x-none")), false},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := answerTo(t, testConfig(), crlf(tt.offer))
			if err != nil {
				t.Fatal(err)
			}
			if n := negotiatedIn(answer.MediaDescriptions[1]); n.remb != tt.want {
				t.Fatalf("remb %v, want %v", n.remb, tt.want)
			}
		})
	}
}
