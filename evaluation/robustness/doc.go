// Package robustness compares results of the same files on different paths: read directly, read after an encoder, and
// published over WebRTC through networks that lose packets.
//
// Three steps tell what changes a result. From the original file to its re-encoded clip only the encoder differs. From
// the clip to a session over WebRTC without loss only the transport differs, which is parity. From there to a
// session with loss only the network differs.
package robustness
