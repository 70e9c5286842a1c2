// Package engine judges video: it puts decoder, detector, cropper, scorer and
// pipeline together, for live streams and for files. Other Go programs embed
// it; the example judges a file in ten lines.
//
// One Engine serves all sessions of a process: it holds the models and batches
// their crops. Open loads the models, Run scores until its context ends, Close
// frees the models. Engine's methods are safe for concurrent use.
package engine
