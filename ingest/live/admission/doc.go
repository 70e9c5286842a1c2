// Package admission decides by measured cost whether a server takes one more
// session. It is arithmetic over readings and times: it has no clock, no lock
// and no I/O.
//
// Two resources can run out: the CPU and the scorer's workers. For each of them the
// policy keeps two values. The use is an exponentially weighted mean with the time
// constant Settle. The cost of one session at the full sampling rate is the use
// divided by all samples a second, times the full rate. A call that is sampled less
// often (a relaxed call) still decodes its pictures, so this ratio may overestimate
// the cost of a new session, but does not underestimate it.
//
// The means show a new session only after some seconds. The policy keeps the same mean
// of the number of streaming sessions: so many sessions are seen. Streaming sessions
// beyond that number, and those that are connecting, are unseen. (If
// fewer sessions stream than the means show, some have ended; then only so much use
// counts as the running ones can cost.) One more session is admitted while
//
//	use + (unseen + booked + 1)·cost ≤ Target·available
//
// holds for both resources, and while no more sessions are unseen than seen. So
// a cold server doubles its sessions every few seconds, instead of admitting many
// sessions whose cost is not known. A booked place belongs to a client who has not connected
// yet, and is often kept for longer than the session then takes: it counts by its cost alone. Otherwise
// slow clients would keep a server from ever seeing sessions. Before a cost was measured, the server
// admits as many sessions and booked places as a cautious guess of the cost allows.
package admission
