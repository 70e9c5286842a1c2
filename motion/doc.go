// Package motion finds the motion of a face that a photograph does not have: of eyes, mouth, and the depth of the head. A photograph that
// is moved, zoomed, tilted, bent or lit differently in front of the camera, or in a virtual one, stays the picture of one smooth surface:
// two of its pictures differ by a homography and a smooth displacement of low order, by light and by sharpness, and by the encoder's
// noise. The package takes all of these off and measures what remains.
//
// It does not tell a person from a recording of a person, nor from a picture that was animated: a video on a screen, a second photograph
// with closed eyes, and a warp that is finer than a bent print's move as a face does. docs/adr/0015-motion.md has what was measured.
package motion
