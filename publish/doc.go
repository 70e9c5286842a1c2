// Package publish is the client of a live session: it creates a session over
// the sessions API, sends a video to it over WebRTC as a browser would, and
// reads the result. It uses nothing of the server but HTTP, WHIP (RFC 9725) and
// the signalling of the web component.
//
// [Judge] sends one clip and returns the session's result. [Run] does so with
// many sessions, [Load] with many at once, and [Measure] measures the server
// meanwhile. All are made of [Client], [Connect] and [Clip].
//
// A clip was encoded before it is sent, so a publisher cannot answer a request
// for a key frame (PLI, RFC 4585): after a loss that no retransmission repairs,
// the server goes on with the clip's next key frame.
package publish
