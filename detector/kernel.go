package detector

// kernel is the resize filter along one axis. Output pixel i is made of pixels
// first[i] … first[i]+n-1 of a square, with weights[i*n : i*n+n], which are
// integers and sum to weightOne.
type kernel struct {
	side    int // pixels of the square's side
	size    int // output pixels: the middle ones of cropSize
	n       int
	first   []int32
	weights []uint16
	shares  []float64 // scratch
}

// weightOne is 1 in fixed point. With 8 bits a pass is off by at most 1/512 of
// the contrast between neighbouring pixels.
const weightOne = 256

// build makes the table for a square with a side of side pixels (≥ 2) and the
// size middle pixels of its output, unless the kernel has it already.
func (k *kernel) build(side, size int) {
	if k.side == side && k.size == size {
		return
	}
	k.side, k.size, k.first, k.weights = side, size, k.first[:0], k.weights[:0]
	k.n = 2
	if side > cropSize {
		k.n = min(side, (side+cropSize-1)/cropSize+1)
	}
	offset := (cropSize - size) / 2
	for i := offset; i < offset+size; i++ {
		if side > cropSize {
			k.addArea(i)
		} else {
			k.addLinear(i)
		}
	}
}

// addArea weighs each pixel with its share in output pixel i.
func (k *kernel) addArea(i int) {
	// In units of 1/cropSize of a source pixel all borders are integers.
	from, to := i*k.side, (i+1)*k.side
	first := min(from/cropSize, k.side-k.n)
	k.shares = k.shares[:0]
	for p := first; p < first+k.n; p++ {
		share := min(to, (p+1)*cropSize) - max(from, p*cropSize)
		k.shares = append(k.shares, float64(max(0, share))/float64(k.side))
	}
	k.addWeights(first)
}

// addLinear interpolates between pixel centres.
func (k *kernel) addLinear(i int) {
	pos := (float64(i)+0.5)*float64(k.side)/cropSize - 0.5
	pos = max(0, min(float64(k.side-1), pos))
	first := min(int(pos), k.side-2)
	f := pos - float64(first)
	k.shares = append(k.shares[:0], 1-f, f)
	k.addWeights(first)
}

// addWeights rounds the shares to integer weights; the rounding error goes to the largest
// weight.
func (k *kernel) addWeights(first int) {
	k.first = append(k.first, int32(first))
	rest, largest := weightOne, len(k.weights)
	for _, s := range k.shares {
		w := int(s*weightOne + 0.5)
		rest -= w
		k.weights = append(k.weights, uint16(w))
		if at := len(k.weights) - 1; k.weights[at] > k.weights[largest] {
			largest = at
		}
	}
	k.weights[largest] = uint16(int(k.weights[largest]) + rest)
}
