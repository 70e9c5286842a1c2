package detector

import (
	"math"
	"slices"
	"testing"

	"github.com/liveproof/liveproof"
)

// frontal are landmarks of a level face in a box of 100×130 pixels at x, y.
func frontal(x, y float32) *liveproof.Landmarks {
	return &liveproof.Landmarks{
		{X: x + 30, Y: y + 50}, {X: x + 70, Y: y + 50}, {X: x + 50, Y: y + 72}, {X: x + 34, Y: y + 90}, {X: x + 66, Y: y + 90},
	}
}

func frontalFace(x, y float32) liveproof.Face {
	return liveproof.Face{Box: liveproof.Box{X1: x, Y1: y, X2: x + 100, Y2: y + 130}, Confidence: 1, Landmarks: frontal(x, y)}
}

// checker is a picture of squares of side pixels with two greys: sharp, mean in between.
func checker(w, h, side int, dark, bright byte) *liveproof.Image {
	img := liveproof.NewImage(w, h)
	for y := range h {
		for x := range w {
			v := dark
			if (x/side+y/side)%2 == 0 {
				v = bright
			}
			p := img.Pix[y*img.Stride+3*x:]
			p[0], p[1], p[2] = v, v, v
		}
	}
	return img
}

func TestAssessReasons(t *testing.T) {
	good := checker(640, 480, 8, 100, 140)
	turned, nodding := frontalFace(200, 150), frontalFace(200, 150)
	turned.Landmarks[2].X += 16 // of the 20 to the eye
	nodding.Landmarks[2].Y += 16
	small := frontalFace(200, 150)
	small.Box.Y2 = small.Box.Y1 + 79
	small.Box.X2 = small.Box.X1 + 60
	tests := []struct {
		name string
		img  *liveproof.Image
		face liveproof.Face
		want []liveproof.Reason
	}{
		{"good", good, frontalFace(200, 150), nil},
		{"good without landmarks", good, liveproof.Face{Box: frontalFace(200, 150).Box}, nil},
		{"small", good, small, []liveproof.Reason{liveproof.ReasonFaceTooSmall}},
		{"a little over the border", good, frontalFace(-9, 150), nil},
		{"cut off left", good, frontalFace(-11, 150), []liveproof.Reason{liveproof.ReasonFaceCutOff}},
		{"cut off below", good, frontalFace(200, 370), []liveproof.Reason{liveproof.ReasonFaceCutOff}},
		{"turned", good, turned, []liveproof.Reason{liveproof.ReasonFaceTurned}},
		{"nodding", good, nodding, []liveproof.Reason{liveproof.ReasonFaceTurned}},
		{"dark", checker(640, 480, 8, 10, 60), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonTooDark}},
		{"bright", checker(640, 480, 8, 220, 245), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonOverexposed, liveproof.ReasonLowContrast}},
		{"clipped", checker(640, 480, 8, 120, 255), frontalFace(200, 150), nil}, // half of it
		{"mostly clipped", mostlyWhite(), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonOverexposed}},
		{"hazy", checker(640, 480, 8, 160, 210), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonHazy}},
		{"a little hazy", checker(640, 480, 8, 110, 160), frontalFace(200, 150), nil},
		{"bright, with many tones", checker(640, 480, 8, 140, 230), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonOverexposed}},
		{"hazy and flat", checker(640, 480, 8, 170, 190), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonHazy, liveproof.ReasonLowContrast}},
		{"bright without dark places", checker(640, 480, 8, 160, 255), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonOverexposed}},
		{"dim, with little contrast", checker(640, 480, 8, 45, 70), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonTooDark}},
		{"dim, with enough contrast", checker(640, 480, 8, 30, 90), frontalFace(200, 150), nil},
		{"sharp, with little contrast", checker(640, 480, 8, 105, 130), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonLowContrast}},
		{"one colour", grey(640, 480, 120), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonLowContrast}},
		{"flat", waves(2, 1), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonLowContrast}},
		{"blurred", waves(40, 0), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonBlurred}},
		{"flat, sharp or not", waves(10, 0), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonLowContrast}},
		{"black", grey(640, 480, 0), frontalFace(200, 150), []liveproof.Reason{liveproof.ReasonTooDark, liveproof.ReasonLowContrast}},
	}
	cropper, pool := newTestCropper(t), new(liveproof.ImagePool)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			crop, err := cropper.Crop(tt.img, tt.face, pool)
			if err != nil {
				t.Fatal(err)
			}
			defer crop.Release()
			q := cropper.Assess(tt.img, crop, tt.face)
			if !slices.Equal(q.Reasons, tt.want) {
				t.Errorf("reasons %v, want %v (%+v)", q.Reasons, tt.want, q)
			}
			if scored := len(tt.want) == 0; scored != (q.Weight > 0) || q.Weight < 0 || q.Weight > 1 {
				t.Errorf("weight %v with reasons %v", q.Weight, q.Reasons)
			}
		})
	}
}

// waves is a picture of slow waves of this amplitude, which have next to no Laplacian, with single pixels
// that differ by grain: sharp detail.
func waves(amplitude float64, grain int) *liveproof.Image {
	img := liveproof.NewImage(640, 480)
	for y := range img.Height {
		for x := range img.Width {
			v := byte(120 + amplitude*math.Sin(float64(x)/30)*math.Cos(float64(y)/30) + float64(grain*((x/2+y/2)%2)))
			p := img.Pix[y*img.Stride+3*x:]
			p[0], p[1], p[2] = v, v, v
		}
	}
	return img
}

// mostlyWhite is clipped in 60 % of its rows but not overexposed in the mean.
func mostlyWhite() *liveproof.Image {
	img := checker(640, 480, 8, 40, 70)
	for y := range img.Height {
		if y%10 < 6 {
			row := img.Pix[y*img.Stride : (y+1)*img.Stride]
			for i := range row {
				row[i] = 255
			}
		}
	}
	return img
}

func TestAssessMeasures(t *testing.T) {
	crop := checker(224, 224, 1, 100, 140)
	q := newTestCropper(t).Assess(liveproof.NewImage(640, 480), crop, frontalFace(200, 150))
	// Each inner pixel's Laplacian is ±4·40, its mean 0.
	if want := 160.0 * 160; math.Abs(q.Blur-want) > 1 {
		t.Errorf("blur %v, want %v", q.Blur, want)
	}
	if math.Abs(q.Contrast-20) > 0.1 { // two greys 40 apart
		t.Errorf("contrast %v", q.Contrast)
	}
	if math.Abs(q.Exposure-120) > 1 || q.Clipped != 0 || q.Size != 130 {
		t.Errorf("%+v", q)
	}
	if math.Abs(q.Yaw) > 0.01 || math.Abs(q.Pitch) > 0.01 {
		t.Errorf("yaw %v pitch %v of a level, frontal face", q.Yaw, q.Pitch)
	}
}

func TestPose(t *testing.T) {
	nan := float32(math.NaN())
	turn := func(dx, dy float32) *liveproof.Landmarks {
		l := frontal(0, 0)
		l[2].X, l[2].Y = l[2].X+dx, l[2].Y+dy
		return l
	}
	tilted := frontal(0, 0) // by 45°: a tilt is no turn
	for i, p := range tilted {
		tilted[i] = liveproof.Point{X: (p.X - p.Y) * math.Sqrt2 / 2, Y: (p.X + p.Y) * math.Sqrt2 / 2}
	}
	tests := []struct {
		name       string
		l          *liveproof.Landmarks
		yaw, pitch float64
	}{
		{"none", nil, 0, 0},
		{"frontal", frontal(0, 0), 0, 0},
		{"tilted", tilted, 0, 0},
		{"half right", turn(10, 0), 0.5, 0},
		{"half left", turn(-10, 0), -0.5, 0},
		{"profile", turn(25, 0), 1, 0},
		{"down", turn(0, 10), 0, 0.5},
		{"up", turn(0, -30), 0, -1},
		{"all in one point", &liveproof.Landmarks{}, 1, 0},
		{"eyes in one point", &liveproof.Landmarks{{X: 5, Y: 5}, {X: 5, Y: 5}, {X: 5, Y: 7}, {X: 5, Y: 9}, {X: 5, Y: 9}}, 1, 0},
		{"NaN", &liveproof.Landmarks{{X: nan}}, 1, 0},
	}
	for _, tt := range tests {
		yaw, pitch := pose(tt.l)
		if math.Abs(yaw-tt.yaw) > 0.01 || math.Abs(pitch-tt.pitch) > 0.01 {
			t.Errorf("%s: yaw %v pitch %v, want %v and %v", tt.name, yaw, pitch, tt.yaw, tt.pitch)
		}
	}
}

func TestAssessUnusable(t *testing.T) {
	nan := float32(math.NaN())
	img, crop := grey(64, 64, 128), checker(224, 224, 4, 100, 140)
	short := &liveproof.Image{Width: 9, Height: 9, Stride: 27}
	for _, tt := range []struct {
		img, crop *liveproof.Image
		face      liveproof.Face
	}{
		{nil, crop, frontalFace(0, 0)},
		{img, nil, frontalFace(0, 0)},
		{img, short, frontalFace(0, 0)},
		{img, crop, liveproof.Face{Box: liveproof.Box{X1: nan, Y1: nan, X2: nan, Y2: nan}}},
		{img, crop, liveproof.Face{}},
		{img, liveproof.NewImage(1, 1), frontalFace(0, 0)},
	} {
		if q := newTestCropper(t).Assess(tt.img, tt.crop, tt.face); len(q.Reasons) == 0 || q.Weight != 0 {
			t.Errorf("%+v may be scored", q)
		}
	}
}

func TestWeightFallsTowardsTheLimits(t *testing.T) {
	cfg := DefaultConfig().Quality
	best := liveproof.Quality{Size: 200, Blur: 50, Exposure: 120}
	if w := cfg.weight(best); w != 1 {
		t.Errorf("weight %v of a good face, want 1", w)
	}
	for name, q := range map[string]liveproof.Quality{
		"small":   {Size: 90, Blur: 50, Exposure: 120},
		"soft":    {Size: 200, Blur: 4, Exposure: 120},
		"dark":    {Size: 200, Blur: 50, Exposure: 45},
		"bright":  {Size: 200, Blur: 50, Exposure: 220},
		"clipped": {Size: 200, Blur: 50, Exposure: 120, Clipped: 0.45},
		"all":     {Size: 80, Blur: 3, Exposure: 40, Clipped: 0.5},
	} {
		if w := cfg.weight(q); !(w >= minWeight && w < 0.8) {
			t.Errorf("%s: weight %v", name, w)
		}
	}
}

// TestMeasuresOfLight: black level and range are of the face's middle, whatever is beside it, and back light is what the picture
// around the face has more than the middle.
func TestMeasuresOfLight(t *testing.T) {
	cropper, pool := newTestCropper(t), new(liveproof.ImagePool)
	face := frontalFace(270, 175) // its square, 169 pixels, is in the middle of the picture
	img := grey(640, 480, 240)
	inner := checker(640, 480, 8, 60, 100)
	for y := 155; y < 325; y++ {
		copy(img.Pix[y*img.Stride+3*235:][:3*170], inner.Pix[y*inner.Stride+3*235:])
	}
	crop, err := cropper.Crop(img, face, pool)
	if err != nil {
		t.Fatal(err)
	}
	defer crop.Release()
	q := cropper.Assess(img, crop, face)
	if math.Abs(q.Black-60) > 2 || math.Abs(q.Range-40) > 4 || math.Abs(q.Backlight-160) > 4 {
		t.Errorf("black %v range %v back light %v", q.Black, q.Range, q.Backlight)
	}
	face.Box = liveproof.Box{X1: 100, Y1: 0, X2: 540, Y2: 480} // nearly the whole picture
	if q = cropper.Assess(img, crop, face); q.Backlight != 0 {
		t.Errorf("back light %v without anything around the face", q.Backlight)
	}
}

// TestStreak: what moves sideways keeps its differences down and loses those along.
func TestStreak(t *testing.T) {
	for name, c := range map[string]struct {
		at   func(x, y int) byte
		sign float64
	}{
		"rows":    {func(_, y int) byte { return byte(100 + 60*(y/4%2)) }, 1},
		"columns": {func(x, _ int) byte { return byte(100 + 60*(x/4%2)) }, -1},
		"squares": {func(x, y int) byte { return byte(100 + 60*((x/4+y/4)%2)) }, 0},
	} {
		img := liveproof.NewImage(224, 224)
		for y := range img.Height {
			for x := range img.Width {
				p := img.Pix[y*img.Stride+3*x:]
				p[0], p[1], p[2] = c.at(x, y), c.at(x, y), c.at(x, y)
			}
		}
		if got, want := measureLight(img).streak, 8*c.sign; math.Abs(got-want) > 0.1 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestNaNIsNeverScored: NaN in a measure with a limit refuses the face; without limits nothing does.
func TestNaNIsNeverScored(t *testing.T) {
	cfg, nan := DefaultConfig().Quality, math.NaN()
	good := liveproof.Quality{Size: 200, Blur: 50, Exposure: 120, Contrast: 40, Black: 60}
	if got := cfg.Refuses(good); got != nil {
		t.Fatalf("a good face is refused: %v", got)
	}
	for name, spoil := range map[string]func(*liveproof.Quality){
		"black":    func(q *liveproof.Quality) { q.Black = nan },
		"contrast": func(q *liveproof.Quality) { q.Contrast = nan },
		"blur":     func(q *liveproof.Quality) { q.Blur = nan },
		"outside":  func(q *liveproof.Quality) { q.Outside = nan },
		"clipped":  func(q *liveproof.Quality) { q.Clipped = nan },
		"exposure": func(q *liveproof.Quality) { q.Exposure = nan },
	} {
		q := good
		spoil(&q)
		if len(cfg.Refuses(q)) == 0 {
			t.Errorf("NaN in %s may be scored", name)
		}
	}
	if got := Unlimited().Refuses(liveproof.Quality{Exposure: 255, Clipped: 1, Black: 255, Yaw: 1, Pitch: -1, Outside: 1}); got != nil {
		t.Errorf("without limits refused: %v", got)
	}
}
