package rtc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// startBitrate, in kbit/s, is enough for the first pictures of a 640×480 layer. With simulcast Chromium begins with 300 otherwise,
// and takes 12 s to 700. A single stream needs no help, for its first probes raise it to 1400 within half a second; and where
// the network carries less than startBitrate, it would begin with losses, after which its pictures are coarse for seconds.
const startBitrate = 1000

// withStartBitrate lets libwebrtc, and so all browsers but Firefox, begin with startBitrate: by a format parameter of its own, which
// it reads for every codec. It is there for codecs with transport-wide feedback only: other senders have no estimate that could begin.
func withStartBitrate(section *sdp.MediaDescription) {
	for _, a := range slices.Clone(section.Attributes) {
		format, feedback, _ := strings.Cut(a.Value, " ")
		if a.Key == "rtcp-fb" && feedback == "transport-cc" {
			addParameter(section, format, fmt.Sprintf("x-google-start-bitrate=%d", startBitrate))
		}
	}
}

// addParameter puts a parameter into the format's fmtp line, or adds one behind its rtpmap.
func addParameter(section *sdp.MediaDescription, format, parameter string) {
	for i := range section.Attributes {
		a := &section.Attributes[i]
		if a.Key == "fmtp" && strings.HasPrefix(a.Value, format+" ") {
			a.Value += ";" + parameter
			return
		}
	}
	at := slices.IndexFunc(section.Attributes, func(a sdp.Attribute) bool { return a.Key == "rtpmap" && strings.HasPrefix(a.Value, format+" ") })
	section.Attributes = slices.Insert(section.Attributes, at+1, sdp.Attribute{Key: "fmtp", Value: format + " " + parameter})
}
