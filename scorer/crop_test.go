package scorer

import (
	"bytes"
	"testing"

	"github.com/liveproof/liveproof"
)

func TestCropCopiesRowsWithoutTheirPadding(t *testing.T) {
	const stride = 1000
	wide := &liveproof.Image{Width: InputSize, Height: InputSize, Stride: stride, Pix: make([]byte, stride*InputSize)}
	want := noise()
	for y := range InputSize {
		copy(wide.Pix[y*stride:], want.Pix[y*cropRow:][:cropRow])
		wide.Pix[y*stride+cropRow] = 255 // padding
	}
	wide.Pix = wide.Pix[:(InputSize-1)*stride+cropRow] // the last row needs none
	for name, picture := range map[string]*liveproof.Image{"packed": want, "padded": wide} {
		got := make([]byte, cropBytes)
		lend(t, picture).CopyTo(got)
		if !bytes.Equal(got, want.Pix) {
			t.Errorf("%s rows: other pixels arrive", name)
		}
	}
}

// Each copy is the whole picture or black, whenever giveBack and the writes of the buffer's
// next owner come.
func TestCropIsReadOnlyUntilItIsGivenBack(t *testing.T) {
	for range 50 {
		picture := plain(255)
		crop := lend(t, picture)
		started, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			black, white := make([]byte, cropBytes), plain(255).Pix
			got := make([]byte, cropBytes)
			for n := 0; n == 0 || got[0] != 0; n++ {
				crop.CopyTo(got)
				if n == 0 {
					close(started)
				}
				if !bytes.Equal(got, black) && !bytes.Equal(got, white) {
					t.Error("a copy holds the next owner's pixels")
					return
				}
			}
		}()
		<-started
		crop.giveBack()
		copy(picture.Pix, plain(77).Pix)
		<-ended
	}
}
