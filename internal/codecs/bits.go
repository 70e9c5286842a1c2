package codecs

import "errors"

var errShort = errors.New("header ends early")

// bitReader reads most significant bit first. After the end it gives zeros and keeps err.
type bitReader struct {
	data []byte
	pos  int
	err  error
}

func (r *bitReader) bits(n int) uint32 {
	var v uint32
	for range n {
		v <<= 1
		if r.pos>>3 >= len(r.data) {
			r.err = errShort
			continue
		}
		v |= uint32(r.data[r.pos>>3]>>(7-r.pos&7)) & 1
		r.pos++
	}
	return v
}

// ue is an unsigned Exp-Golomb code, H.264 section 9.1.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bits(1) == 0 {
		if zeros++; zeros > 31 || r.err != nil {
			r.err = errShort
			return 0
		}
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

func (r *bitReader) se() int32 {
	v := r.ue()
	if v&1 == 1 {
		return int32(v/2) + 1
	}
	return -int32(v / 2)
}
