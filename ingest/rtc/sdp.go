package rtc

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// offer is a remote offer, reduced to what this service negotiates: the audio and
// video sections that send are kept; those that do not become inactive, but keep
// their place, because a bundle may hang on the first section's transport (RFC
// 9143, 7.3); everything else (data channels, text) is taken out and refused in
// the answer. Audio is received and thrown away: a section that is refused
// would be a partially successful answer (RFC 9725, 4.4.3).
type offer struct {
	description sdp.SessionDescription
	sections    []*sdp.MediaDescription // all sections, as offered
	kept        []bool                  // by section: pion sees it
	bundled     bool                    // the offer had a BUNDLE group
	candidates  int                     // remote candidates kept
	dropped     int                     // remote candidates that were refused
	credentials credentials
	video       int // index of the video section that is received
	announced   announced
	negotiated  negotiated // known once the answer is complete
}

// CheckOffer returns ErrBadSDP for an offer that cannot be answered, else nil.
func (c Config) CheckOffer(text string) error {
	_, err := parseOffer(c, text)
	return err
}

// CheckOffer does so before a peer is made.
func (a *API) CheckOffer(text string) error {
	err := a.cfg.CheckOffer(text)
	if err != nil {
		a.metrics.refused.WithLabelValues("sdp").Inc()
	}
	return err
}

func parseOffer(cfg Config, text string) (*offer, error) {
	if len(text) > cfg.MaxSDPBytes {
		return nil, badOffer("the offer has %d bytes; at most %d are read (webrtc.max_sdp_bytes)", len(text), cfg.MaxSDPBytes)
	}
	o := &offer{}
	if err := unmarshal(&o.description, text); err != nil {
		return nil, &OfferError{Detail: "the offer is not SDP (RFC 8866): it begins with the lines v=0, o=, s= and t=, and each line is of the form x=value", cause: err}
	}
	o.sections = o.description.MediaDescriptions
	if n := len(o.sections); n > cfg.MaxMediaSections {
		return nil, badOffer("the offer has %d media sections; at most %d are read (webrtc.max_media_sections)", n, cfg.MaxMediaSections)
	}
	if err := o.checkMids(); err != nil {
		return nil, err
	}
	if err := o.checkTracks(); err != nil {
		return nil, err
	}
	if err := o.reduce(cfg); err != nil {
		return nil, err
	}
	o.readCredentials()
	if err := o.checkTransport(); err != nil {
		return nil, err
	}
	return o, o.checkCodecs(cfg.Codecs)
}

func (o *offer) checkMids() error {
	seen := map[string]bool{}
	for i, section := range o.sections {
		mid, _ := section.Attribute("mid")
		if mid == "" || strings.ContainsAny(mid, " \t") || seen[mid] {
			return badOffer("media section %d needs an a=mid of its own (RFC 5888)", i+1)
		}
		seen[mid] = true
	}
	return nil
}

func (o *offer) reduce(cfg Config) error {
	video := slices.IndexFunc(o.sections, func(section *sdp.MediaDescription) bool {
		return section.MediaName.Media == "video" && o.sends(section)
	})
	if video < 0 {
		return o.noVideo()
	}
	o.video = video
	o.announced = announcedStreams(o.sections, video, min(maxLayers, cfg.MaxStreams/2)) // each with its retransmissions
	o.kept = make([]bool, len(o.sections))
	o.description.MediaDescriptions = nil
	for i, section := range o.sections {
		kind := section.MediaName.Media
		if kind != "audio" && kind != "video" {
			continue
		}
		o.kept[i] = true
		reduced := *section
		o.reduceSection(&reduced, o.sends(section), cfg)
		if i == video {
			reduced.Attributes = append(reduced.Attributes, ownStreams)
		}
		o.description.MediaDescriptions = append(o.description.MediaDescriptions, &reduced)
	}
	o.reduceBundle(o.sections[video])
	return nil
}

// sends: an audio or video section that is not rejected and whose direction (RFC
// 8866, 6.7; sendrecv when it does not say) sends.
func (o *offer) sends(section *sdp.MediaDescription) bool {
	_, bundleOnly := section.Attribute("bundle-only")
	kind := section.MediaName.Media
	if kind != "video" && kind != "audio" || section.MediaName.Port.Value == 0 && !bundleOnly {
		return false
	}
	has := func(name string) bool {
		_, media := section.Attribute(name)
		_, session := o.description.Attribute(name)
		return media || session
	}
	return !has("recvonly") && !has("inactive")
}

func (o *offer) reduceSection(section *sdp.MediaDescription, active bool, cfg Config) {
	section.MediaName.Formats = orderedFormats(section, cfg.Codecs)
	kept := make([]sdp.Attribute, 0, len(section.Attributes)+1)
	seen := map[string]bool{}
	for _, attribute := range section.Attributes {
		if o.keepAttribute(attribute, active, cfg) && keepFeedback(attribute, seen) {
			kept = append(kept, attribute)
		}
	}
	if !active {
		kept = append(kept, sdp.Attribute{Key: "inactive"})
	}
	section.Attributes = kept
}

// probeSSRC is that of Chromium's bandwidth probes.
const probeSSRC = 0

// ownStreams keeps pion from making a transceiver of its own for each stream that it does not
// know, which it does unless the section declares one.
var ownStreams = sdp.Attribute{Key: "ssrc", Value: fmt.Sprintf("%d cname:probe", probeSSRC)}

// keepAttribute drops everything that announces streams (pion is not to follow them, see
// streams.go) and, of sections that will be inactive, the direction.
func (o *offer) keepAttribute(a sdp.Attribute, active bool, cfg Config) bool {
	switch a.Key {
	case "simulcast", "rid", "ssrc", "ssrc-group":
		return false
	case "msid", "sendrecv", "sendonly", "recvonly", "inactive":
		return active
	case "candidate":
		if o.candidates >= cfg.MaxCandidates || cfg.checkCandidate(a.Value) != nil {
			o.dropped++
			return false
		}
		o.candidates++
	}
	return true
}

// keepFeedback keeps each feedback message once, and only those that this server can send: pion
// copies all messages of a format for each time that the section lists the format.
func keepFeedback(a sdp.Attribute, seen map[string]bool) bool {
	if a.Key != "rtcp-fb" {
		return true
	}
	_, message, _ := strings.Cut(a.Value, " ")
	repeated := seen[a.Value]
	seen[a.Value] = true
	return !repeated && slices.ContainsFunc(feedbackMessages, func(own webrtc.RTCPFeedback) bool {
		return message == strings.TrimSpace(own.Type+" "+own.Parameter)
	})
}

// orderedFormats puts the payload types in order of our preference, so that the
// answer does too. What is no payload type (RFC 3550: 7 bits), stands there twice or has
// no rtpmap (RFC 3551's static ones) is left out.
func orderedFormats(section *sdp.MediaDescription, preference []liveproof.Codec) []string {
	names := map[string]string{}
	for _, a := range section.Attributes {
		if format, encoding, ok := strings.Cut(a.Value, " "); ok && a.Key == "rtpmap" {
			name, _, _ := strings.Cut(strings.TrimSpace(encoding), "/")
			names[format] = strings.ToUpper(name)
		}
	}
	rank := func(format string) int {
		if i := slices.Index(preference, liveproof.Codec(names[format])); i >= 0 {
			return i
		}
		return len(preference)
	}
	seen := map[uint64]bool{}
	formats := slices.DeleteFunc(slices.Clone(section.MediaName.Formats), func(f string) bool {
		number, err := strconv.ParseUint(f, 10, 7)
		unusable := err != nil || names[f] == "" || seen[number]
		seen[number] = true
		return unusable
	})
	slices.SortStableFunc(formats, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return formats
}

// reduceBundle leaves one group with the kept sections; a lone video section needs one too.
func (o *offer) reduceBundle(video *sdp.MediaDescription) {
	videoMid, _ := video.Attribute("mid")
	kept := o.keptMids()
	group := []string{}
	attributes := o.description.Attributes[:0:0]
	for _, a := range o.description.Attributes {
		if a.Key != "group" {
			attributes = append(attributes, a)
		} else if mids, ok := strings.CutPrefix(a.Value, "BUNDLE "); ok && len(group) == 0 {
			o.bundled = true
			group = slices.DeleteFunc(strings.Fields(mids), func(mid string) bool {
				once := kept[mid]
				delete(kept, mid)
				return !once
			})
		}
	}
	if !slices.Contains(group, videoMid) {
		group = []string{videoMid}
	}
	attributes = append(attributes, sdp.Attribute{Key: "group", Value: "BUNDLE " + strings.Join(group, " ")})
	o.description.Attributes = attributes
}

func (o *offer) keptMids() map[string]bool {
	kept := map[string]bool{}
	for i, section := range o.sections {
		if mid, _ := section.Attribute("mid"); o.kept[i] {
			kept[mid] = true
		}
	}
	return kept
}

// complete turns pion's answer to the reduced offer into one to the whole
// offer: the sections that were taken out are refused in their place, and the
// candidates stand in the first section that is not refused.
func (o *offer) complete(text string, candidates []string, gathered bool) (string, error) {
	var answer sdp.SessionDescription
	if err := answer.UnmarshalString(text); err != nil {
		return "", fmt.Errorf("own answer: %w", err)
	}
	given := answer.MediaDescriptions
	answer.MediaDescriptions = make([]*sdp.MediaDescription, 0, len(o.sections))
	placed := false
	for i, section := range o.sections {
		if !o.kept[i] || len(given) == 0 {
			answer.MediaDescriptions = append(answer.MediaDescriptions, refused(section))
			continue
		}
		own := given[0]
		given = given[1:]
		if i == o.video && own.MediaName.Port.Value == 0 {
			return "", fmt.Errorf("%w: %w", ErrBadSDP, liveproof.ErrUnsupportedCodec)
		}
		own.Attributes = slices.DeleteFunc(own.Attributes, isCandidate)
		if i == o.video {
			o.negotiated = negotiatedIn(own)
			if len(o.announced.rids) > 1 {
				withStartBitrate(own)
			}
			own.Attributes = append(own.Attributes, answerRIDs(o.announced.rids, own.MediaName.Formats)...)
		}
		own.Attributes = append(own.Attributes, sdp.Attribute{Key: "rtcp-mux-only"}) // RFC 9725, 4.4.1
		if own.MediaName.Port.Value != 0 && !placed {
			own.Attributes = append(own.Attributes, candidateAttributes(candidates, gathered)...)
			placed = true
		}
		answer.MediaDescriptions = append(answer.MediaDescriptions, own)
	}
	if !o.bundled {
		answer.Attributes = slices.DeleteFunc(answer.Attributes, func(a sdp.Attribute) bool { return a.Key == "group" })
	}
	out, err := answer.Marshal()
	return string(out), err
}

func isCandidate(a sdp.Attribute) bool { return a.Key == "candidate" || a.Key == "end-of-candidates" }

func candidateAttributes(candidates []string, gathered bool) []sdp.Attribute {
	attributes := []sdp.Attribute{}
	for _, c := range candidates {
		attributes = append(attributes, sdp.Attribute{Key: "candidate", Value: strings.TrimPrefix(c, "candidate:")})
	}
	if gathered {
		attributes = append(attributes, sdp.Attribute{Key: "end-of-candidates"})
	}
	return attributes
}

// refused is a section with port zero (RFC 3264, 6).
func refused(section *sdp.MediaDescription) *sdp.MediaDescription {
	mid, _ := section.Attribute("mid")
	name := section.MediaName
	name.Port = sdp.RangedPort{Value: 0}
	return &sdp.MediaDescription{
		MediaName: name,
		ConnectionInformation: &sdp.ConnectionInformation{
			NetworkType: "IN", AddressType: "IP4", Address: &sdp.Address{Address: "0.0.0.0"},
		},
		Attributes: []sdp.Attribute{{Key: "mid", Value: mid}, {Key: "inactive"}},
	}
}
