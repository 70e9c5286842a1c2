package rtc

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/liveproof/liveproof"
)

// OfferError is an ErrBadSDP that says to the client what is wrong with its offer or fragment.
type OfferError struct {
	// Detail is for the client: what is wrong, and what mends it.
	Detail string
	cause  error // what it is besides an ErrBadSDP; may be nil
}

// Error implements error.
func (e *OfferError) Error() string { return e.Detail }

// Unwrap gives ErrBadSDP and the cause.
func (e *OfferError) Unwrap() []error {
	if e.cause == nil {
		return []error{ErrBadSDP}
	}
	return []error{ErrBadSDP, e.cause}
}

func badOffer(format string, a ...any) error { return &OfferError{Detail: fmt.Sprintf(format, a...)} }

// errHalfRestart: RFC 8839, 4.4.1.1.1.
var errHalfRestart = badOffer("an ICE restart needs a new ice-ufrag and a new ice-pwd; only one of them has changed")

// credentials are one side's for one ICE session (RFC 8839, 5.4).
type credentials struct{ ufrag, pwd string }

var iceChars = regexp.MustCompile(`^[0-9A-Za-z+/]*$`)

func (c credentials) check() error {
	switch {
	case c.ufrag == "" || c.pwd == "":
		return badOffer("there are no ICE credentials: a=ice-ufrag and a=ice-pwd are needed")
	case len(c.ufrag) < 4 || len(c.ufrag) > 256 || !iceChars.MatchString(c.ufrag):
		return badOffer("a=ice-ufrag must have 4 to 256 letters, digits, + or / (RFC 8839, 5.4)")
	case len(c.pwd) < 22 || len(c.pwd) > 256 || !iceChars.MatchString(c.pwd):
		return badOffer("a=ice-pwd must have 22 to 256 letters, digits, + or / (RFC 8839, 5.4)")
	}
	return nil
}

// unmarshal refuses the empty text too, which the library takes for a description of nothing.
func unmarshal(d *sdp.SessionDescription, text string) error {
	if !strings.HasPrefix(text, "v=") {
		return errors.New("no v= line")
	}
	return d.UnmarshalString(text)
}

// checkTracks: one camera, at most one microphone, in one bundle (RFC 9725, 4.4.1 and 4.4.2).
func (o *offer) checkTracks() error {
	sending := map[string]int{}
	var mids []string
	for _, section := range o.sections {
		if o.sends(section) {
			sending[section.MediaName.Media]++
			mid, _ := section.Attribute("mid")
			mids = append(mids, mid)
		}
	}
	for _, kind := range []string{"video", "audio"} {
		if n := sending[kind]; n > 1 {
			return &OfferError{
				Detail: fmt.Sprintf("%d %s tracks are sent; one is accepted: stop the others, or make them inactive", n, kind),
				cause:  ErrTooManyTracks,
			}
		}
	}
	if len(mids) > 1 && !o.bundles(mids) {
		return badOffer(`the sections that send are not in one bundle: a=group:BUNDLE %s is needed (in a browser bundlePolicy "max-bundle")`, strings.Join(mids, " "))
	}
	return nil
}

// bundles reports whether one BUNDLE group (RFC 9143) has all these mids.
func (o *offer) bundles(mids []string) bool {
	return slices.ContainsFunc(o.description.Attributes, func(a sdp.Attribute) bool {
		group, ok := strings.CutPrefix(a.Value, "BUNDLE ")
		have := strings.Fields(group)
		return ok && a.Key == "group" && !slices.ContainsFunc(mids, func(mid string) bool { return !slices.Contains(have, mid) })
	})
}

// noVideo says why no section sends video.
func (o *offer) noVideo() error {
	why := "the offer has no video section: add a video track that is sent (sendonly)"
	for _, section := range o.sections {
		_, bundleOnly := section.Attribute("bundle-only")
		switch {
		case section.MediaName.Media != "video":
		case section.MediaName.Port.Value == 0 && !bundleOnly:
			why = "the video section is rejected (port 0): offer it with port 9"
		default:
			why = "the video section sends nothing: it must be sendonly or sendrecv, not recvonly or inactive"
		}
	}
	return &OfferError{Detail: why, cause: ErrNoVideo}
}

// checkTransport checks what ICE and DTLS need of the offer.
func (o *offer) checkTransport() error {
	if err := o.credentials.check(); err != nil {
		return err
	}
	prints := o.fingerprints()
	if len(prints) == 0 {
		return badOffer("there is no a=fingerprint: media must be encrypted by DTLS-SRTP (RFC 5763)")
	}
	for _, f := range prints {
		if !fingerprint.MatchString(f) {
			return badOffer("a=fingerprint must name a hash, such as sha-256, and the certificate's digest in hex pairs (RFC 8122)")
		}
	}
	for _, setup := range o.values("setup") {
		if !slices.Contains([]string{"actpass", "active", "passive"}, setup) {
			return badOffer("a=setup must be actpass, active or passive (RFC 8842)")
		}
	}
	return nil
}

var fingerprint = regexp.MustCompile(`^(sha-1|sha-224|sha-256|sha-384|sha-512) [0-9a-f]{2}(:[0-9a-f]{2})+$`)

// fingerprints of the certificates, sorted, in lower case: the side's DTLS identity.
func (o *offer) fingerprints() []string {
	prints := o.values("fingerprint")
	slices.Sort(prints)
	return slices.Compact(prints)
}

// values of an attribute of the session and of the sections that are kept, in lower case.
func (o *offer) values(key string) []string {
	var out []string
	collect := func(attributes []sdp.Attribute) {
		for _, a := range attributes {
			if a.Key == key {
				out = append(out, strings.ToLower(strings.TrimSpace(a.Value)))
			}
		}
	}
	collect(o.description.Attributes)
	for _, section := range o.description.MediaDescriptions {
		collect(section.Attributes)
	}
	return out
}

// readCredentials takes the session's, else those of the section that carries the
// bundle, else the first that has any.
func (o *offer) readCredentials() {
	read := func(attribute func(string) (string, bool)) bool {
		ufrag, _ := attribute("ice-ufrag")
		pwd, _ := attribute("ice-pwd")
		if ufrag == "" && pwd == "" {
			return false
		}
		o.credentials = credentials{ufrag, pwd}
		return true
	}
	if read(o.description.Attribute) {
		return
	}
	for _, section := range o.description.MediaDescriptions {
		if read(section.Attribute) {
			return
		}
	}
}

// checkCodecs wants at least one format by the name of an accepted codec.
func (o *offer) checkCodecs(accepted []liveproof.Codec) error {
	for _, name := range encodings(o.sections[o.video]) {
		if slices.Contains(accepted, liveproof.Codec(strings.ToUpper(name))) {
			return nil
		}
	}
	return o.unsupported(accepted)
}

// unsupported names the offered and the accepted codecs.
func (o *offer) unsupported(accepted []liveproof.Codec) error {
	names := encodings(o.sections[o.video])
	offered := strings.Join(names[:min(len(names), 8)], ", ")
	if offered == "" {
		offered = "none"
	}
	want := make([]string, 0, len(accepted))
	for _, c := range accepted {
		want = append(want, string(c))
	}
	return &OfferError{
		Detail: fmt.Sprintf("no offered video format can be received; offered: %s; accepted: %s (webrtc.codecs)", offered, strings.Join(want, ", ")),
		cause:  liveproof.ErrUnsupportedCodec,
	}
}

var encodingName = regexp.MustCompile(`^[0-9A-Za-z.+_-]{1,20}$`)

// encodings are the names of a section's formats, each once, without those that only repair others.
func encodings(section *sdp.MediaDescription) []string {
	formats, seen := map[string]bool{}, map[string]bool{}
	for _, format := range section.MediaName.Formats {
		formats[format] = true
	}
	var names []string
	for _, a := range section.Attributes {
		format, encoding, _ := strings.Cut(a.Value, " ")
		name, _, _ := strings.Cut(strings.TrimSpace(encoding), "/")
		repairs := slices.Contains([]string{"rtx", "red", "ulpfec", "flexfec-03"}, strings.ToLower(name))
		if a.Key == "rtpmap" && formats[format] && !repairs && !seen[name] && encodingName.MatchString(name) {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// explain gives pion's refusal of an offer the words for the client.
func (o *offer) explain(accepted []liveproof.Codec, err error) error {
	if errors.Is(err, liveproof.ErrUnsupportedCodec) {
		return o.unsupported(accepted)
	}
	return err
}
