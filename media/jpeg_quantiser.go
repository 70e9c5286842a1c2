package media

import (
	"encoding/binary"

	"github.com/liveproof/liveproof/internal/codecs"
)

// jpegQuantiser reads the quantiser step of Motion JPEG from the quantisation table of the first component, the luma
// (ITU-T T.81, B.2.4.1). Tables stay in force until others replace them (B.2.4, "abbreviated format").
type jpegQuantiser struct {
	steps    [4]float64 // by the table's number; 0 for one that has not come
	halvings int        // of the decoded picture's sides: the mean of 2×2 samples has half the error
}

const (
	jpegBlock = 64 // coefficients
	// jpegCounted are the coefficients after the first, in zigzag order, whose steps count: up to the eighth diagonal, half of
	// all. Tables are coarser at the others, which hold little of a face.
	jpegCounted = 35
)

// Read takes one picture.
func (q *jpegQuantiser) Read(data []byte) (shown codecs.Quantised) {
	for marker, segment := range jpegSegments(data) {
		switch {
		case marker == 0xdb: // DQT
			q.learn(segment)
		case marker == 0xc0, marker == 0xc1, marker == 0xc2: // SOF of the DCT: components from byte 6 on, three bytes each
			if len(segment) < 9 || segment[8] >= 4 {
				return shown
			}
			shown.Step = codecs.JPEGStep(q.steps[segment[8]]) / float64(int(1)<<q.halvings)
			return shown
		}
	}
	return shown
}

// learn reads the tables of a segment: a byte with precision and number, then 64 steps in zigzag order.
func (q *jpegQuantiser) learn(segment []byte) {
	for len(segment) > 0 {
		wide, number := segment[0]>>4, segment[0]&15
		size := jpegBlock << min(wide, 1)
		if len(segment) < 1+size || wide > 1 || number >= 4 {
			return
		}
		q.steps[number] = meanStep(segment[1:1+size], wide == 1)
		segment = segment[1+size:]
	}
}

func meanStep(table []byte, wide bool) float64 {
	sum := 0
	for i := 1; i <= jpegCounted; i++ {
		if wide {
			sum += int(binary.BigEndian.Uint16(table[2*i:]))
		} else {
			sum += int(table[i])
		}
	}
	return float64(sum) / jpegCounted
}
