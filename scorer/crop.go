package scorer

import (
	"fmt"
	"sync"

	"github.com/liveproof/liveproof"
)

// cropRow is the length of one row of a crop in bytes.
const cropRow = 3 * InputSize

// Crop is a caller's picture, borrowed until Score returns. CopyTo makes the one copy
// on the way to the network: the crops of a batch must lie side by side in the input
// tensor, and which crops share a batch is known only when it is run.
type Crop struct {
	mu      sync.Mutex
	picture *liveproof.Image // nil once the caller has taken it back
}

// borrow refuses every picture that is not 224×224 RGB.
func borrow(picture *liveproof.Image) (*Crop, error) {
	if picture == nil || picture.Width != InputSize || picture.Height != InputSize || picture.Stride < cropRow ||
		len(picture.Pix) < (InputSize-1)*picture.Stride+cropRow {
		return nil, fmt.Errorf("%w: %s, want %d×%d RGB", ErrCrop, describe(picture), InputSize, InputSize)
	}
	return &Crop{picture: picture}, nil
}

func describe(picture *liveproof.Image) string {
	if picture == nil {
		return "no picture"
	}
	return fmt.Sprintf("%d×%d in %d bytes", picture.Width, picture.Height, len(picture.Pix))
}

// CopyTo writes the 224·224·3 bytes of RGB, row by row. It writes black when the caller
// has left; nobody reads that score.
func (c *Crop) CopyTo(to []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.picture == nil {
		clear(to[:cropBytes])
		return
	}
	if c.picture.Stride == cropRow {
		copy(to[:cropBytes], c.picture.Pix)
		return
	}
	for y := range InputSize {
		copy(to[y*cropRow:(y+1)*cropRow], c.picture.Pix[y*c.picture.Stride:])
	}
}

// giveBack returns the picture to the caller. It waits for a running CopyTo, some
// microseconds; afterwards nothing reads the picture.
func (c *Crop) giveBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.picture = nil
}
