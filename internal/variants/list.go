package variants

import (
	"fmt"

	"github.com/liveproof/liveproof"
)

// All returns the variants in the order of their kinds. Amounts are in pixels of the picture, degrees, levels or seconds, as the name's
// last part says.
func All() []Variant {
	list := []Variant{
		{"person", KindPerson, ShowsPerson, studio.person},
		{"still", KindStill, ShowsStill, studio.still},
	}
	for _, pixels := range []float64{2, 6, 12} {
		list = append(list, moved(fmt.Sprintf("pan-%gpx", pixels), KindPan, sway{shift: pixels}))
	}
	list = append(list,
		moved("zoom-4%", KindZoom, sway{zoom: 0.04}),
		moved("zoom-10%", KindZoom, sway{zoom: 0.10}),
		moved("rotate-5deg", KindRotate, sway{roll: 5 * degree}),
		Variant{"jitter-3px", KindJitter, ShowsStill, func(s studio) scene { return s.jittered(s.still(), 3) }},
		moved("perspective-10deg", KindPerspective, sway{shift: 6, zoom: 0.03, roll: 2 * degree, tilt: 10 * degree}),
		moved("perspective-25deg", KindPerspective, sway{shift: 10, zoom: 0.05, roll: 3 * degree, tilt: 25 * degree}),
		Variant{"bent-slow", KindBent, ShowsStill, func(s studio) scene { return s.bent(s.still(), 0.35, 0.25) }},
		Variant{"bent-fast", KindBent, ShowsStill, func(s studio) scene { return s.bent(s.still(), 0.6, 0.7) }},
		Variant{"held", KindHeld, ShowsStill, func(s studio) scene { return s.held(s.still()) }},
		Variant{"noise-4", KindNoise, ShowsStill, func(s studio) scene { return s.noisy(s.still(), 4) }},
		Variant{"noise-8-pan-6px", KindNoise, ShowsStill, func(s studio) scene { return s.noisy(s.swaying(s.still(), sway{shift: 6}), 8) }},
		Variant{"flicker-10%", KindFlicker, ShowsStill, func(s studio) scene { return s.flickering(s.swaying(s.still(), sway{shift: 6}), 0.10) }},
		Variant{"elastic-2px", KindElastic, ShowsStill, func(s studio) scene { return s.elastic(s.still(), 2) }},
		Variant{"elastic-5px", KindElastic, ShowsStill, func(s studio) scene { return s.elastic(s.still(), 5) }},
		Variant{"fake_turn", KindFakeTurn, ShowsStill, func(s studio) scene { return s.turning(s.still(), 0.08) }},
		Variant{"fake_blink", KindFakeBlink, ShowsStill, func(s studio) scene { return s.swaying(s.blinking(s.still()), sway{shift: 6}) }},
	)
	list = append(list, recordings()...)
	list = append(list, swaps()...)
	return append(list, looks()...)
}

func moved(name string, kind Kind, by sway) Variant {
	return Variant{name, kind, ShowsStill, func(s studio) scene { return s.swaying(s.still(), by) }}
}

func recordings() (list []Variant) {
	for _, seconds := range []float64{1, 2, 5} {
		list = append(list,
			Variant{fmt.Sprintf("loop-%gs", seconds), KindLoop, ShowsVideo, func(s studio) scene { return s.loop(seconds) }},
			Variant{fmt.Sprintf("seamless-%gs", seconds), KindSeamless, ShowsVideo, func(s studio) scene { return s.seamless(seconds) }},
			Variant{fmt.Sprintf("ping_pong-%gs", seconds), KindPingPong, ShowsVideo, func(s studio) scene { return s.pingPong(seconds) }})
	}
	return append(list,
		Variant{"altered-slow", KindAltered, ShowsVideo, func(s studio) scene { return s.paced(0.85) }},
		Variant{"altered-fast", KindAltered, ShowsVideo, func(s studio) scene { return s.paced(1.2) }},
		Variant{"altered-crop", KindAltered, ShowsVideo, func(s studio) scene { return s.cropped(s.person(), 0.9) }},
		Variant{"altered-mirror", KindAltered, ShowsVideo, func(s studio) scene { return s.mirrored(s.person()) }},
		Variant{"altered-noise", KindAltered, ShowsVideo, func(s studio) scene { return s.noisy(s.person(), 4) }},
		Variant{"altered-loop-2s", KindAltered, ShowsVideo, func(s studio) scene { return s.noisy(s.swaying(s.seamless(2), sway{shift: 6, zoom: 0.03}), 3) }})
}

// SwapAt is when a swap begins, and FadeFor how long one by a fade takes, in seconds.
const (
	SwapAt  = 1.2
	FadeFor = 0.8
)

func swaps() []Variant {
	other := func(s studio) scene { return s.Other.at }
	panned := func(of func(studio) *liveproof.Image) func(studio) scene {
		return func(s studio) scene {
			return s.swaying(func(int) *liveproof.Image { return of(s) }, sway{shift: 6})
		}
	}
	own := panned(func(s studio) *liveproof.Image { return s.Person.Pictures[s.Still] })
	others := panned(func(s studio) *liveproof.Image { return s.Other.Pictures[0] })
	swap := func(name string, from, to func(studio) scene, fade float64) Variant {
		return Variant{"swap-" + name, KindSwap, ShowsSwap, func(s studio) scene { return s.change(from(s), to(s), SwapAt, fade) }}
	}
	return []Variant{
		swap("cut-to-person", studio.person, other, 0),
		swap("fade-to-person", studio.person, other, FadeFor),
		swap("cut-to-still", studio.person, others, 0),
		swap("fade-to-still", studio.person, others, FadeFor),
		swap("cut-from-still", others, studio.person, 0),
		swap("fade-from-still", others, studio.person, FadeFor),
		swap("cut-to-own-still", studio.person, own, 0),
		swap("fade-to-own-still", studio.person, own, FadeFor),
	}
}

func looks() []Variant {
	hand := sway{shift: 6, zoom: 0.03, roll: 2 * degree, tilt: 8 * degree}
	return []Variant{
		{"print-still", KindPrint, ShowsStill, func(s studio) scene { return s.swaying(s.printed(s.still()), hand) }},
		{"print-bent", KindPrint, ShowsStill, func(s studio) scene { return s.bent(s.printed(s.still()), 0.35, 0.25) }},
		{"screen-still", KindScreen, ShowsStill, func(s studio) scene { return s.glaring(s.swaying(s.displayed(s.still()), hand)) }},
		{"screen-video", KindScreen, ShowsVideo, func(s studio) scene { return s.glaring(s.swaying(s.displayed(s.person()), hand)) }},
	}
}
