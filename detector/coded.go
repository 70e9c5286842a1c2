package detector

import "github.com/liveproof/liveproof"

// coded measures how coarsely the face was encoded, for the size at which the scorer sees it; 0 for what is not known. A
// face that is enlarged has its details in few pixels, where a step harms more: twice the size, twice the step. A face that
// is shrunk has the bits of several pixels in one of the scorer's, but blocks and lost detail stay visible, so its step
// counts in full. docs/encoders.md has the measurements.
func coded(img *liveproof.Image, face liveproof.Box) (quantiser, bits float64) {
	if img.Coding == nil {
		return 0, 0
	}
	shrunk := float64(cropSquare(face).side) / cropSize // source pixels for each of the scorer's, in a row
	return img.Coding.Quantisers.Around(face, img) / min(1, shrunk), img.Coding.Bits * max(1, shrunk*shrunk)
}

// quantiserLimit is the largest quantiser step at which a face may be scored. Below min_bits it shrinks in proportion to the
// bits: an encoder that skips most blocks keeps its quantiser low and loses detail all the same, but a still needs few
// bits at a fine quantiser.
func (c QualityConfig) quantiserLimit(bits float64) float64 {
	if bits <= 0 || bits >= c.MinBits {
		return c.MaxQuantiser
	}
	return c.MaxQuantiser * bits / c.MinBits
}
