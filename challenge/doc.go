// Package challenge asks a person for an answer that only who is there now can give, and looks for it in the video.
//
// # Light
//
// Flash draws a secret sequence of colours that the client's screen shows. The screen's light falls on the face, so the face's colour
// follows the sequence. A recording, a loop or a virtual camera that does not know the sequence follows another one, or none.
//
// The sequence is Config.Colours colours of the palette, each another than the one before, one every Config.Period, with a ramp between them.
// All colours of the palette have nearly the same relative luminance. So nothing in a sequence is a flash in the sense of WCAG 2.2, 2.3.1:
// the luminance changes by less than a tenth, no colour is a saturated red, and there are at most three changes a second all the same.
//
// # Response
//
// A camera measures, in channel c of linear light, m_c = g_c·ρ_c·(a_c + s_c): the gain g_c of exposure and white balance, the skin's
// reflectance ρ_c, the ambient light a_c and the screen's light s_c. So
//
//	log m_R/m_G = log (a_R+s_R)/(a_G+s_G) + constant
//
// and the same of B follow the screen's colour, whatever the exposure. Subtracting the same of the background, which is farther from
// the screen, removes changes of white balance and of the ambient light.
//
// # Decision
//
// The observed series and a sequence's series are freed of their mean and of a linear drift and compared by their correlations r_k in
// the two ratios, as a generalised likelihood ratio of Gaussian noise of unknown level and a response of unknown, but not negative, size:
//
//	Λ = max over lags of -½ Σ_k log(1 - max(0, r_k)²)
//
// The lag is bounded by the session's round trip and Config.Latency. Λ of the sequence that was shown is compared with Λ of sequences
// that were drawn in the same way and shown to nobody. The challenge is passed if none of Decoys of them reaches it. Who does not know
// the sequence passes with a probability of at most 1/(Decoys+1) = Config.FalseAccepts, exactly, whatever the video shows: the sequence that was shown is
// then one of Decoys+1 that nothing distinguishes (a Monte Carlo test; Barnard 1963; Phipson and Smyth 2010).
//
// This says nothing of who does know the sequence: who films the screen, or relights a face in real time.
package challenge
