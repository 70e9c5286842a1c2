package detector

import "github.com/liveproof/liveproof"

// coded measures how coarsely the face was encoded; 0 for what is not known. A face that is shrunk to the scorer's input has
// the bits of several pixels in one of the input; one that is enlarged has no more than it had.
func coded(img *liveproof.Image, face liveproof.Box) (quantiser, bits float64) {
	if img.Coding == nil {
		return 0, 0
	}
	shrunk := max(1, float64(cropSquare(face).side)/cropSize)
	return img.Coding.Quantisers.Around(face, img), img.Coding.Bits * shrunk * shrunk
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
