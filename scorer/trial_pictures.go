package scorer

import (
	"bytes"
	"fmt"
	"image/png"
	"math/rand/v2"

	faces "github.com/liveproof/liveproof/models/golden"
)

// trialPictures are drawn pictures and two golden crops, the same in every process. The demo models give most of them a ρ
// in the middle of the scale, where differences of arithmetic show. (For a chequered field or a
// plain gradient ρ is 0 in every arithmetic.)
func trialPictures() [][]byte {
	pictures := drawnPictures()
	for _, file := range faces.Crops() {
		pictures = append(pictures, decode(file))
	}
	return pictures
}

// decode gives the RGB bytes of a PNG file of the program; a test reads each.
func decode(file []byte) []byte {
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		panic(fmt.Sprintf("scorer: a crop of the program: %v", err))
	}
	return draw(func(x, y, channel int) int {
		r, g, b, _ := picture.At(x, y).RGBA()
		return int([3]uint32{r, g, b}[channel] >> 8)
	})
}

func drawnPictures() [][]byte {
	noise := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the pictures need not be secret
	var pictures [][]byte
	for _, paint := range []func(x, y, channel int) int{
		func(x, y, c int) int { return disc(x, y, 90, 160+20*c, 40) },
		func(x, y, c int) int { return disc(x, y, 70, 120-20*c, 200) + noise.IntN(16) },
		func(x, y, c int) int { return disc(x, y, 60, 200-15*c, 90) + noise.IntN(4) },
		func(x, y, c int) int { return disc(x, y, 80, 180-10*c, x) + noise.IntN(32) },
	} {
		pictures = append(pictures, draw(paint))
	}
	return pictures
}

func draw(paint func(x, y, channel int) int) []byte {
	pixels := make([]byte, cropBytes)
	for i := range pixels {
		x, y := i/3%InputSize, i/3/InputSize
		pixels[i] = byte(min(max(paint(x, y, i%3), 0), 255))
	}
	return pixels
}

// disc is a value near inside within radius of the centre, and outside beyond it.
func disc(x, y, radius, inside, outside int) int {
	dx, dy := x-InputSize/2, y-InputSize/2
	if dx*dx+dy*dy < radius*radius {
		return inside - (dx+dy)/4
	}
	return outside
}
