// Package publish is the client of a live session: it creates a session over
// the sessions API, sends a video to it over WebRTC as a browser would, and
// reads the result. It uses nothing of the server but HTTP and WHIP (RFC 9725).
//
// [File] sends one file and returns the session's result. [Run] does so with
// many sessions at once. Both are made of [Client], [Connect] and [Clip].
package publish
