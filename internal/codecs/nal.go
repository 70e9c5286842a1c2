package codecs

import (
	"bytes"
	"iter"
)

// NALUnits gives the NAL units of an access unit of H.264 or HEVC, none of them empty: between start codes (Annex B of both
// standards) where lengthBytes is 0, else each behind its length in so many bytes (ISO/IEC 14496-15).
func NALUnits(unit []byte, lengthBytes int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { eachNAL(unit, lengthBytes, yield) }
}

// eachNAL is apart from NALUnits so that the compiler inlines that, and nothing is allocated.
func eachNAL(rest []byte, lengthBytes int, yield func([]byte) bool) {
	if lengthBytes == 0 {
		_, rest = betweenStartCodes(rest)
	}
	for rest != nil {
		var nal []byte
		if lengthBytes == 0 {
			nal, rest = betweenStartCodes(rest)
		} else {
			nal, rest = behindLength(rest, lengthBytes)
		}
		if len(nal) > 0 && !yield(nal) {
			return
		}
	}
}

// betweenStartCodes cuts off what lies before the next start code; rest is nil where there is none.
func betweenStartCodes(data []byte) (nal, rest []byte) {
	nal, rest, _ = bytes.Cut(data, []byte{0, 0, 1})
	return nal, rest
}

func behindLength(data []byte, lengthBytes int) (nal, rest []byte) {
	if len(data) < lengthBytes {
		return nil, nil
	}
	n := 0
	for _, b := range data[:lengthBytes] {
		n = n<<8 | int(b)
	}
	data = data[lengthBytes:]
	n = min(n, len(data))
	return data[:n], data[n:]
}

// NALLengthBytes is the size of the length before each NAL unit in a file, 0 where it has start codes. streamHeader is the codec's
// header in the container: where there are lengths, an AVC or HEVC decoder configuration record (ISO/IEC 14496-15,
// 5.3.3.1 and 8.3.3.1).
func NALLengthBytes(hevc bool, streamHeader []byte) int {
	at := 4
	if hevc {
		at = 21
	}
	if len(streamHeader) <= at || streamHeader[0] != 1 {
		return 0
	}
	return int(streamHeader[at]&3) + 1
}

// SEIMessages gives payloadType and payload of each whole message of an SEI NAL unit with a header of so many bytes (ITU-T H.264,
// 7.3.2.3; H.265, 7.3.5).
func SEIMessages(nal []byte, headerBytes int) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) { eachMessage(nal[min(headerBytes, len(nal)):], yield) }
}

func eachMessage(body []byte, yield func(int, []byte) bool) {
	data := unescape(body, len(body))
	for len(data) > 2 { // rbsp_trailing_bits are not a message
		var kind, size int
		kind, data = seiNumber(data)
		size, data = seiNumber(data)
		if size > len(data) || !yield(kind, data[:size]) {
			return
		}
		data = data[size:]
	}
}

// seiNumber reads a payload type or size: bytes of 255 add up with the first other one.
func seiNumber(data []byte) (n int, rest []byte) {
	for i, b := range data {
		if n += int(b); b != 0xff {
			return n, data[i+1:]
		}
	}
	return n, nil
}

// unescape removes emulation prevention bytes (00 00 03) from at most the first enough bytes.
func unescape(nal []byte, enough int) []byte {
	nal = nal[:min(len(nal), enough)]
	if !bytes.Contains(nal, []byte{0, 0, 3}) {
		return nal
	}
	out, zeros := make([]byte, 0, len(nal)), 0
	for _, b := range nal {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if zeros++; b != 0 {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}
