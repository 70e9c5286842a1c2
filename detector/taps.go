package detector

// taps says of which pixels of a square each output pixel is made, along one
// axis: pixels first[i] … first[i]+n-1 with weights[i*n : i*n+n]. Weights are
// whole and sum to weightOne.
type taps struct {
	side    int // of the square that the table is for
	size    int // of the output: so many pixels from the middle of cropSize
	n       int
	first   []int32
	weights []uint64
	shares  []float64 // scratch
}

// weightOne is 1 in fixed point. With 8 bits a pass is off by at most 1/512 of
// the contrast between neighbouring pixels.
const weightOne = 256

// set makes the table for a square of side pixels (≥ 2) and the size middle
// pixels of its output, if it is not there.
func (t *taps) set(side, size int) {
	if t.side == side && t.size == size {
		return
	}
	t.side, t.size, t.first, t.weights = side, size, t.first[:0], t.weights[:0]
	t.n = 2
	if side > cropSize {
		t.n = min(side, (side+cropSize-1)/cropSize+1)
	}
	offset := (cropSize - size) / 2
	for i := offset; i < offset+size; i++ {
		if side > cropSize {
			t.area(i)
		} else {
			t.linear(i)
		}
	}
}

// area weighs each pixel with its share in output pixel i.
func (t *taps) area(i int) {
	// In units of 1/cropSize of a source pixel all borders are whole.
	from, to := i*t.side, (i+1)*t.side
	first := min(from/cropSize, t.side-t.n)
	t.shares = t.shares[:0]
	for p := first; p < first+t.n; p++ {
		share := min(to, (p+1)*cropSize) - max(from, p*cropSize)
		t.shares = append(t.shares, float64(max(0, share))/float64(t.side))
	}
	t.add(first)
}

// linear interpolates between pixel centres.
func (t *taps) linear(i int) {
	pos := (float64(i)+0.5)*float64(t.side)/cropSize - 0.5
	pos = max(0, min(float64(t.side-1), pos))
	first := min(int(pos), t.side-2)
	f := pos - float64(first)
	t.shares = append(t.shares[:0], 1-f, f)
	t.add(first)
}

// add rounds the shares to whole weights; the rounded-off rest goes to the largest.
func (t *taps) add(first int) {
	t.first = append(t.first, int32(first))
	rest, largest := weightOne, len(t.weights)
	for _, s := range t.shares {
		w := int(s*weightOne + 0.5)
		rest -= w
		t.weights = append(t.weights, uint64(w))
		if at := len(t.weights) - 1; t.weights[at] > t.weights[largest] {
			largest = at
		}
	}
	t.weights[largest] = uint64(int(t.weights[largest]) + rest)
}
