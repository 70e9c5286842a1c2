// Package publish is the client of a live session: it creates a session over
// the sessions API, sends a video to it over WebRTC as a browser would, and
// reads the result. It knows of the server only HTTP and WHIP (RFC 9725).
//
// [File] sends one file and returns what the session got. [Run] does so with
// many sessions at once. [Client], [Connect] and [Clip] are their parts.
package publish
