// Package admission decides by measured cost whether a server takes one more
// session. It is arithmetic over readings and times: it has no clock, no lock
// and no I/O.
//
// Two resources can run out: the processor and the scorer's workers. Of each the
// policy keeps the use of the last seconds, an exponentially weighted mean
// with the time constant Settle, and what one session at the full sampling
// rate costs: the use divided by the samples a second, times the full rate. A
// session that samples less often (a relaxed call) pays for its pictures all the
// same, so this ratio never makes a new session look cheaper than it is.
//
// The mean does not show all of a new session at once. A session that has
// streamed for a seconds is in it with the weight 1 - exp(-a/Settle); the rest,
// and all of a session that is connecting or has only a booked place, counts as
// unseen. One more session is admitted while
//
//	use + (unseen + 1)·cost ≤ Target·available
//
// holds for both resources, and while unseen + 1 is at most the number of
// sessions whose cost is seen, or what a cautious guess of the cost allows on a
// server that has measured nothing. So a cold server doubles its sessions every
// few seconds instead of taking a crowd whose cost nobody knows.
package admission
