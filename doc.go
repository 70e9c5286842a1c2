// Package liveproof holds the domain types of the liveness service: sessions,
// samples, verdicts, reasons, video and images. It imports the standard library
// only; every other package may import it.
//
// Terms follow ISO/IEC 30107-3: a bona fide presentation is a living person
// in front of the camera, an attack presentation is a print, a screen, a cut-out or
// a mask. ρ ("rho") is the expected liveness score of Kwak et al., Eq. 4, in
// [0,1]: 0 is an attack presentation, 1 is bona fide.
//
// Durations are time.Duration in Go and seconds in every JSON form.
package liveproof
