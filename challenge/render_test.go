package challenge_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"time"

	"github.com/liveproof/liveproof"
)

// scene is what lights a face beside the screen, and how the camera sees it.
type scene struct {
	// share is the light of the white screen on the face, as a share of the room's light.
	share float64
	// behind is the same of the background, as a share of the face's: the background is farther from the screen.
	behind float64
	// lag is the time from the server's sending of a colour to its light in the picture.
	lag time.Duration
	// exposure and balance are the time constants of the camera's automatic exposure and white balance.
	exposure, balance time.Duration
	// noise is the deviation of a pixel's light in the middle of the range.
	noise float64
}

// camera renders pictures of a scene. A recorded picture is taken for the scene in the room's light alone; the screen's is added to it in
// linear light, more on the face than behind it, and the camera adapts.
type camera struct {
	scene
	random *rand.Rand
	gain   [3]float64 // of exposure and white balance
	last   time.Duration
	begun  bool
}

// shoot renders one picture at time t, lit by the screen's light, in linear light of its three channels.
func (c *camera) shoot(t time.Duration, from *liveproof.Image, face liveproof.Face, screen [3]float64) *liveproof.Image {
	c.adapt(t, c.lit(from, face, screen, true, nil))
	out := liveproof.NewImage(from.Width, from.Height)
	c.lit(from, face, screen, false, out)
	return out
}

// lit lights a picture. With sparse set it only returns the means of light without and with the screen, from every eighth pixel.
func (c *camera) lit(from *liveproof.Image, face liveproof.Face, screen [3]float64, sparse bool, out *liveproof.Image) (means [2][3]float64) {
	step := 1
	if sparse {
		step = 8
	}
	b := face.Box
	cx, cy := float64(b.X1+b.X2)/2, float64(b.Y1+b.Y2)/2
	rx, ry := 0.62*float64(b.Width()), 0.68*float64(b.Height())
	n, at := 0.0, c.random.IntN(len(normal))
	for y := 0; y < from.Height; y += step {
		row := from.Pix[y*from.Stride:]
		for x := 0; x < from.Width; x += step {
			part := c.reach((float64(x)-cx)/rx, (float64(y)-cy)/ry)
			n++
			for k := range 3 {
				at++
				light := fromSRGB[row[3*x+k]]
				seen := light * (1 + part*screen[k])
				if sparse {
					means[0][k] += light
					means[1][k] += seen
					continue
				}
				seen = seen*c.gain[k] + c.noise*grain[light8(light)]*normal[at&(len(normal)-1)]
				out.Pix[y*out.Stride+3*x+k] = toSRGB(seen)
			}
		}
	}
	for i := range means {
		for k := range means[i] {
			means[i][k] /= n
		}
	}
	return means
}

// reach is how much of the screen's light falls on a point, at x, y in half axes of the head: all of it on the face, less beside it, and less
// on the shoulders, which turn away.
func (c *camera) reach(x, y float64) float64 {
	head := 1 / (1 + math.Exp(9*(math.Hypot(x, y)-1)))
	shoulders := 0.0
	if y > 0.8 {
		shoulders = 0.45 / (1 + math.Exp(6*(math.Abs(x)-1.6)))
	}
	return c.share * max(head, shoulders, c.behind)
}

// adapt moves exposure and white balance towards the means that the recording had.
func (c *camera) adapt(t time.Duration, means [2][3]float64) {
	luminance := func(v [3]float64) float64 { return 0.2126*v[0] + 0.7152*v[1] + 0.0722*v[2] }
	whole := luminance(means[0]) / luminance(means[1])
	var want [3]float64
	for k := range 3 {
		want[k] = means[0][k] / means[1][k]
	}
	if !c.begun {
		c.begun, c.last, c.gain = true, t, want
		return
	}
	dt := float64(t - c.last)
	c.last = t
	fast, slow := 1-math.Exp(-dt/float64(c.exposure)), 1-math.Exp(-dt/float64(c.balance))
	now := math.Cbrt(c.gain[0] * c.gain[1] * c.gain[2])
	for k := range 3 {
		cast := c.gain[k] / now
		cast *= math.Pow(want[k]/whole/cast, slow)
		c.gain[k] = now * math.Pow(whole/now, fast) * cast
	}
}

// normal is numbers of a normal distribution, drawn once, because a picture needs a million.
var normal = func() (table [1 << 16]float64) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range table {
		table[i] = r.NormFloat64()
	}
	return table
}()

// grain is the noise of light, relative to that in the middle: photons arrive at random.
var grain = func() (table [256]float64) {
	for i := range table {
		table[i] = math.Sqrt(float64(i)/255 + 0.05)
	}
	return table
}()

func light8(light float64) uint8 { return uint8(255 * light) }

var fromSRGB = func() (table [256]float64) {
	for i := range table {
		v := float64(i) / 255
		table[i] = math.Pow((v+0.055)/1.055, 2.4)
		if v <= 0.04045 {
			table[i] = v / 12.92
		}
	}
	return table
}()

var srgb = func() (table [4097]uint8) {
	for i := range table {
		light := float64(i) / 4096
		v := 1.055*math.Pow(light, 1/2.4) - 0.055
		if light <= 0.0031308 {
			v = 12.92 * light
		}
		table[i] = uint8(math.Round(255 * v))
	}
	return table
}()

func toSRGB(light float64) uint8 { return srgb[int(4096*min(1, max(0, light)))] }

// compressed is the picture after JPEG of the quality with 4:2:0 chroma, about what a video encoder of a call leaves of it.
func compressed(img *liveproof.Image, quality int) *liveproof.Image {
	decoded, err := jpeg.Decode(bytes.NewReader(jpegOf(img, quality)))
	if err != nil {
		panic(err)
	}
	out := liveproof.NewImage(img.Width, img.Height)
	ycc := decoded.(*image.YCbCr)
	for y := range img.Height {
		for x := range img.Width {
			yi, ci := ycc.YOffset(x, y), ycc.COffset(x, y)
			r, g, b := color.YCbCrToRGB(ycc.Y[yi], ycc.Cb[ci], ycc.Cr[ci])
			copy(out.Pix[y*out.Stride+3*x:], []byte{r, g, b})
		}
	}
	return out
}

func jpegOf(img *liveproof.Image, quality int) []byte {
	rgba := image.NewRGBA(image.Rect(0, 0, img.Width, img.Height))
	for i := range img.Width * img.Height {
		copy(rgba.Pix[4*i:], img.Pix[3*i:3*i+3])
		rgba.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, rgba, &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	return b.Bytes()
}
