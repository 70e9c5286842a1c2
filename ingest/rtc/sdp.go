package rtc

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/pion/ice/v4"
	"github.com/pion/sdp/v3"

	"github.com/liveproof/liveproof"
)

// maxCandidateBytes is far above any real candidate line.
const maxCandidateBytes = 1024

// offer is a remote offer, reduced to what this service negotiates: its first
// sending video section is kept; other audio and video sections become
// inactive, but keep their place, because a bundle may hang on the first
// section's transport (RFC 9143, 7.3); everything else (data channels, text) is
// taken out and refused in the answer.
type offer struct {
	description sdp.SessionDescription
	sections    []*sdp.MediaDescription // all sections, as offered
	kept        []bool                  // by section: pion sees it
	bundled     bool                    // the offer had a BUNDLE group
	candidates  int                     // remote candidates kept
	dropped     int                     // remote candidates that were refused
	ufrag       string
	video       int // index of the active section
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
		return nil, fmt.Errorf("offer of %d bytes exceeds %d: %w", len(text), cfg.MaxSDPBytes, ErrBadSDP)
	}
	o := &offer{}
	if err := o.description.UnmarshalString(text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	o.sections = o.description.MediaDescriptions
	if n := len(o.sections); n > cfg.MaxMediaSections {
		return nil, fmt.Errorf("offer of %d media sections exceeds %d: %w", n, cfg.MaxMediaSections, ErrBadSDP)
	}
	if err := o.checkMids(); err != nil {
		return nil, err
	}
	return o, o.reduce(cfg)
}

func (o *offer) checkMids() error {
	seen := map[string]bool{}
	for i, section := range o.sections {
		mid, _ := section.Attribute("mid")
		if mid == "" || strings.ContainsAny(mid, " \t") || seen[mid] {
			return fmt.Errorf("media section %d has no mid of its own: %w", i, ErrBadSDP)
		}
		seen[mid] = true
	}
	return nil
}

func (o *offer) reduce(cfg Config) error {
	video := slices.IndexFunc(o.sections, o.sendsVideo)
	if video < 0 {
		return ErrNoVideo
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
		o.reduceSection(&reduced, i == video, cfg)
		o.description.MediaDescriptions = append(o.description.MediaDescriptions, &reduced)
	}
	o.reduceBundle(o.sections[video])
	return nil
}

// sendsVideo: a section that is not rejected and whose direction (RFC 8866,
// 6.7; sendrecv when it does not say) sends.
func (o *offer) sendsVideo(section *sdp.MediaDescription) bool {
	_, bundleOnly := section.Attribute("bundle-only")
	if section.MediaName.Media != "video" || section.MediaName.Port.Value == 0 && !bundleOnly {
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
	if ufrag, ok := o.description.Attribute("ice-ufrag"); ok {
		o.ufrag = ufrag
	}
	if ufrag, ok := section.Attribute("ice-ufrag"); ok && o.ufrag == "" {
		o.ufrag = ufrag
	}
	section.MediaName.Formats = orderedFormats(section, cfg.Codecs)
	kept := make([]sdp.Attribute, 0, len(section.Attributes)+1)
	for _, attribute := range section.Attributes {
		if o.keepAttribute(attribute, active, cfg.MaxCandidates) {
			kept = append(kept, attribute)
		}
	}
	if active {
		kept = append(kept, ownStreams)
	} else {
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
func (o *offer) keepAttribute(a sdp.Attribute, active bool, maxCandidates int) bool {
	switch a.Key {
	case "simulcast", "rid", "ssrc", "ssrc-group":
		return false
	case "msid", "sendrecv", "sendonly", "recvonly", "inactive":
		return active
	case "candidate":
		if o.candidates >= maxCandidates || checkCandidate(a.Value) != nil {
			o.dropped++
			return false
		}
		o.candidates++
	}
	return true
}

// orderedFormats puts the payload types in order of our preference, so that the
// answer does too; formats without rtpmap (RFC 3551's static ones) are left out.
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
	formats := slices.DeleteFunc(slices.Clone(section.MediaName.Formats), func(f string) bool { return names[f] == "" })
	slices.SortStableFunc(formats, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return formats
}

// reduceBundle leaves one group with the kept sections; a lone video section needs one too.
func (o *offer) reduceBundle(video *sdp.MediaDescription) {
	videoMid, _ := video.Attribute("mid")
	group := []string{}
	attributes := o.description.Attributes[:0:0]
	for _, a := range o.description.Attributes {
		if a.Key != "group" {
			attributes = append(attributes, a)
		} else if mids, ok := strings.CutPrefix(a.Value, "BUNDLE "); ok && len(group) == 0 {
			o.bundled = true
			group = slices.DeleteFunc(strings.Fields(mids), func(mid string) bool { return !o.keeps(mid) })
		}
	}
	if !slices.Contains(group, videoMid) {
		group = []string{videoMid}
	}
	attributes = append(attributes, sdp.Attribute{Key: "group", Value: "BUNDLE " + strings.Join(group, " ")})
	o.description.Attributes = attributes
}

func (o *offer) keeps(mid string) bool {
	for i, section := range o.sections {
		if m, _ := section.Attribute("mid"); m == mid {
			return o.kept[i]
		}
	}
	return false
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
			own.Attributes = append(own.Attributes, answerRIDs(o.announced.rids, own.MediaName.Formats)...)
		}
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

// checkCandidate refuses what is no candidate (RFC 8839, 5.1) or would make
// this server send to a group or to nowhere.
func checkCandidate(value string) error {
	value = strings.TrimPrefix(value, "candidate:")
	if len(value) > maxCandidateBytes {
		return fmt.Errorf("candidate of %d bytes: %w", len(value), ErrBadCandidate)
	}
	c, err := ice.UnmarshalCandidate(value)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadCandidate, err)
	}
	if ip := net.ParseIP(c.Address()); ip != nil && (ip.IsMulticast() || ip.IsUnspecified() || ip.Equal(net.IPv4bcast)) {
		return fmt.Errorf("candidate for %v: %w", ip, ErrBadCandidate)
	}
	return nil
}

// fragment is an application/trickle-ice-sdpfrag body (RFC 8840, 9).
type fragment struct {
	ufrag      string
	candidates []string
	end        bool
}

func parseFragment(cfg Config, text string) (fragment, error) {
	var f fragment
	if len(text) > cfg.MaxSDPBytes {
		return f, fmt.Errorf("fragment of %d bytes exceeds %d: %w", len(text), cfg.MaxSDPBytes, ErrBadSDP)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' {
			return f, fmt.Errorf("fragment line is not of the form x=value: %w", ErrBadSDP)
		}
		key, value, _ := strings.Cut(line[2:], ":")
		switch {
		case line[0] != 'a':
		case key == "ice-ufrag" && f.ufrag != "" && f.ufrag != value:
			return f, fmt.Errorf("fragment has two ICE user fragments: %w", ErrBadSDP)
		case key == "ice-ufrag":
			f.ufrag = value
		case key == "candidate":
			f.candidates = append(f.candidates, "candidate:"+value)
		case key == "end-of-candidates":
			f.end = true
		}
	}
	return f, nil
}
