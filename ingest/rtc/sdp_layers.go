package rtc

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/interceptor"
	"github.com/pion/sdp/v3"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// maxLayers is how many simulcast streams of an offer are accepted. Browsers send at most three.
const maxLayers = 4

// announced is what an offer says about the RTP streams of its video section. None of it
// needs to be true, or to be there at all: streams are known by their packets, and this only
// helps to match them.
type announced struct {
	rids    []offeredRID
	repairs map[uint32]uint32 // SSRC of a retransmission stream → SSRC that it repairs (RFC 5576, FID)
	streams int               // how many encodings of the picture the offer announces, 0 when it does not say
	foreign map[uint32]bool   // SSRCs of the other sections
	mid     string            // of the section
	formats map[uint8]string  // format parameters by payload type
}

// offeredRID is one restriction identifier (RFC 8851) that names a simulcast stream.
type offeredRID struct {
	id           string
	restrictions string // of the a=rid line, "" for none
	paused       bool   // RFC 8853, 5.1: "~"
}

// announcedStreams reads the offer's sections; active is the index of the video section in use.
func announcedStreams(sections []*sdp.MediaDescription, active int, limit int) announced {
	a := announced{repairs: map[uint32]uint32{}, foreign: map[uint32]bool{}}
	for i, section := range sections {
		if i != active {
			for ssrc := range declaredSSRCs(section) {
				a.foreign[ssrc] = true
			}
		}
	}
	section := sections[active]
	a.mid, _ = section.Attribute("mid")
	a.formats = formatParameters(section)
	a.rids = simulcastRIDs(section)
	if len(a.rids) > limit {
		a.rids = a.rids[:limit]
	}
	media := declaredSSRCs(section)
	for ssrc := range media {
		delete(a.foreign, ssrc)
	}
	for semantics, ssrcs := range ssrcGroups(section) {
		if len(ssrcs) != 2 {
			continue
		}
		switch semantics {
		case sdp.SemanticTokenFlowIdentification:
			a.repairs[ssrcs[1]] = ssrcs[0]
			delete(media, ssrcs[1])
		case sdp.SemanticTokenForwardErrorCorrectionFramework:
			delete(media, ssrcs[1])
		}
	}
	a.streams = max(len(a.rids), min(len(media), maxLayers))
	return a
}

func formatParameters(section *sdp.MediaDescription) map[uint8]string {
	out := map[uint8]string{}
	for _, a := range section.Attributes {
		format, parameters, _ := strings.Cut(a.Value, " ")
		if number, err := strconv.ParseUint(format, 10, 7); a.Key == "fmtp" && err == nil {
			out[uint8(number)] = parameters
		}
	}
	return out
}

func declaredSSRCs(section *sdp.MediaDescription) map[uint32]bool {
	declared := map[uint32]bool{}
	for _, a := range section.Attributes {
		if a.Key == sdp.AttrKeySSRC {
			number, _, _ := strings.Cut(a.Value, " ")
			if ssrc, err := strconv.ParseUint(number, 10, 32); err == nil {
				declared[uint32(ssrc)] = true
			}
		}
	}
	return declared
}

// ssrcGroups yields the groups of a section (RFC 5576, 4.2) with their semantics; a group with
// what is no SSRC is left out.
func ssrcGroups(section *sdp.MediaDescription) func(yield func(semantics string, ssrcs []uint32) bool) {
	return func(yield func(string, []uint32) bool) {
		for _, a := range section.Attributes {
			fields := strings.Fields(a.Value)
			if a.Key != sdp.AttrKeySSRCGroup || len(fields) == 0 {
				continue
			}
			ssrcs := make([]uint32, 0, len(fields)-1)
			for _, field := range fields[1:] {
				if ssrc, err := strconv.ParseUint(field, 10, 32); err == nil {
					ssrcs = append(ssrcs, uint32(ssrc))
				}
			}
			if len(ssrcs) == len(fields)-1 && !yield(fields[0], ssrcs) {
				return
			}
		}
	}
}

// simulcastRIDs lists the streams that a section offers to send (RFC 8853, 5.1), of
// alternatives the first; each must have an a=rid line that sends.
func simulcastRIDs(section *sdp.MediaDescription) (rids []offeredRID) {
	lines := map[string]string{}
	for _, a := range section.Attributes {
		if a.Key == "rid" {
			id, rest, _ := strings.Cut(a.Value, " ")
			direction, restrictions, _ := strings.Cut(rest, " ")
			if direction == "send" && validRID(id) {
				lines[id] = strings.TrimSpace(restrictions)
			}
		}
	}
	for _, list := range sendLists(section) {
		id, _, _ := strings.Cut(list, ",")
		id, paused := strings.CutPrefix(strings.TrimSpace(id), "~")
		restrictions, known := lines[id]
		if known {
			rids = append(rids, offeredRID{id: id, restrictions: restrictions, paused: paused})
			delete(lines, id) // named twice, it counts once
		}
	}
	return rids
}

// sendLists splits the send side of a=simulcast; "rid=" is Firefox's form before RFC 8853.
func sendLists(section *sdp.MediaDescription) []string {
	value, _ := section.Attribute("simulcast")
	fields := strings.Fields(value)
	at := slices.Index(fields, "send")
	if at < 0 || at+1 >= len(fields) {
		return nil
	}
	return strings.Split(strings.TrimPrefix(fields[at+1], "rid="), ";")
}

// validRID: 1*(alpha-numeric / "-" / "_"), RFC 8851, 10; the header extension carries at most 255 bytes.
func validRID(id string) bool {
	return id != "" && len(id) <= 255 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// answerRIDs accepts the offered streams (RFC 8853, 5.3.2), with the payload types that are in the answer.
func answerRIDs(rids []offeredRID, formats []string) []sdp.Attribute {
	var attributes []sdp.Attribute
	var names []string
	for _, rid := range rids {
		restrictions, ok := rid.answered(formats)
		if !ok {
			continue
		}
		attributes = append(attributes, sdp.Attribute{Key: "rid", Value: strings.TrimSpace(rid.id + " recv " + restrictions)})
		name := rid.id
		if rid.paused {
			name = "~" + name
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil
	}
	return append(attributes, sdp.Attribute{Key: "simulcast", Value: "recv " + strings.Join(names, ";")})
}

// answered repeats the restrictions (RFC 8851, 6.3) without payload types that were not
// accepted; a stream that has no others is not accepted.
func (r offeredRID) answered(formats []string) (restrictions string, ok bool) {
	parts := strings.Split(r.restrictions, ";")
	for i, part := range parts {
		list, has := strings.CutPrefix(strings.TrimSpace(part), "pt=")
		if !has {
			continue
		}
		kept := slices.DeleteFunc(strings.Split(list, ","), func(f string) bool { return !slices.Contains(formats, f) })
		if len(kept) == 0 {
			return "", false
		}
		parts[i] = "pt=" + strings.Join(kept, ",")
	}
	return strings.Join(parts, ";"), true
}

// negotiated is what the answer says about the packets of the video section.
type negotiated struct {
	codecs     map[uint8]liveproof.Codec // payload type → codec
	repairs    map[uint8]uint8           // payload type of a retransmission (RFC 4588) → its codec's
	extensions []interceptor.RTPHeaderExtension
	losses     bool // lost packets are asked for (RFC 4585, nack)
	fir        bool // the sender takes FIR (RFC 5104)
	remb       bool // the sender takes REMB, and gets no transport-wide feedback
}

// negotiatedIn reads the video section of the answer.
func negotiatedIn(section *sdp.MediaDescription) negotiated {
	n := negotiated{codecs: map[uint8]liveproof.Codec{}, repairs: map[uint8]uint8{}}
	transport := false
	for _, a := range section.Attributes {
		first, rest, _ := strings.Cut(a.Value, " ")
		switch a.Key {
		case "rtpmap":
			n.addCodec(first, rest)
		case "fmtp":
			n.addRepair(first, rest)
		case "rtcp-fb":
			n.losses = n.losses || rest == "nack"
			n.fir = n.fir || rest == "ccm fir"
			n.remb = n.remb || rest == "goog-remb"
			transport = transport || rest == "transport-cc"
		case "extmap":
			number, _, _ := strings.Cut(first, "/")
			if id, err := strconv.Atoi(number); err == nil {
				n.extensions = append(n.extensions, interceptor.RTPHeaderExtension{URI: rest, ID: id})
			}
		}
	}
	n.remb = n.remb && !(transport && n.extension(sdp.TransportCCURI) != 0)
	return n
}

func (n *negotiated) addCodec(format, encoding string) {
	name, _, _ := strings.Cut(encoding, "/")
	at := slices.IndexFunc(codecs.Names(), func(c liveproof.Codec) bool { return strings.EqualFold(string(c), name) })
	if number, err := strconv.ParseUint(format, 10, 7); err == nil && at >= 0 {
		n.codecs[uint8(number)] = codecs.Names()[at]
	}
}

func (n *negotiated) addRepair(format, parameters string) {
	for parameter := range strings.SplitSeq(parameters, ";") {
		apt, has := strings.CutPrefix(strings.TrimSpace(parameter), "apt=")
		if !has {
			continue
		}
		number, err := strconv.ParseUint(format, 10, 7)
		repaired, err2 := strconv.ParseUint(apt, 10, 7)
		if cmp.Or(err, err2) == nil {
			n.repairs[uint8(number)] = uint8(repaired)
		}
	}
}

// extension is the identifier of a header extension, 0 when it was not negotiated.
func (n *negotiated) extension(uri string) uint8 {
	for _, e := range n.extensions {
		if e.URI == uri {
			return uint8(e.ID)
		}
	}
	return 0
}
