package injection

import "strings"

// browserMarks are lines of SDP that libwebrtc writes, on which all browsers send their media: each is a way of writing
// a feature, which other libraries leave out or write otherwise.
var browserMarks = [...]string{
	"a=extmap-allow-mixed",
	" goog-remb",
	" transport-cc",
	" http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
	" http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
	" urn:3gpp:video-orientation",
}

// maxOffer bounds what is read of an offer, in bytes.
const maxOffer = 64 << 10

// claimsBrowser reports whether an offer is written as a browser's: with all marks of libwebrtc, or by Firefox, which names itself in
// the origin line (RFC 8866, 5.2). Anybody can write so; the stream then has to be a browser's too.
func claimsBrowser(offer string) bool {
	found := 0
	lines := offer[:min(len(offer), maxOffer)]
	if strings.Contains(lines, "o=mozilla...THIS_IS_SDPARTA") {
		return true
	}
	for _, mark := range browserMarks {
		if strings.Contains(lines, mark+"\r\n") || strings.Contains(lines, mark+"\n") {
			found++
		}
	}
	return found == len(browserMarks)
}
