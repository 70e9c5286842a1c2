package variants

import (
	"github.com/liveproof/liveproof"
)

// loop shows the clip's beginning again and again.
func (s studio) loop(seconds float64) scene {
	n := s.beginning(seconds)
	return func(i int) *liveproof.Image { return s.Person.at(i % n) }
}

// beginning is the number of pictures of the clip's first seconds, or of the whole clip.
func (s studio) beginning(seconds float64) int {
	return min(s.pictures(seconds), len(s.Person.Pictures))
}

// seamless fades the last quarter of a second of each loop, or less where the clip is shorter, into what precedes the loop's beginning.
func (s studio) seamless(seconds float64) scene {
	fade := min(s.pictures(0.25), max(1, len(s.Person.Pictures)/4))
	n := min(s.pictures(seconds), len(s.Person.Pictures)-fade)
	if n < 1 {
		return s.person()
	}
	return func(i int) *liveproof.Image {
		at := i % n
		img := s.Person.at(fade + at)
		if left := n - at; left <= fade {
			return mixed(img, s.Person.at(fade-left), 1-float64(left)/float64(fade+1))
		}
		return img
	}
}

// pingPong shows the clip's beginning forwards and backwards.
func (s studio) pingPong(seconds float64) scene {
	n := s.beginning(seconds)
	period := max(1, 2*(n-1))
	return func(i int) *liveproof.Image {
		at := i % period
		return s.Person.at(min(at, period-at))
	}
}

// paced plays the clip at another speed.
func (s studio) paced(speed float64) scene {
	return func(i int) *liveproof.Image { return s.Person.at(int(float64(i) * speed)) }
}

// change shows one scene and then another, with a cut or a fade in between.
func (s studio) change(from, to scene, at, fade float64) scene {
	return func(i int) *liveproof.Image {
		switch t := s.seconds(i); {
		case t < at:
			return from(i)
		case t >= at+fade:
			return to(i)
		default:
			return mixed(from(i), to(i), (t-at)/fade)
		}
	}
}
