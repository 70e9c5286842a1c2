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
// The means do not show a new session at once. The same mean of the number of
// streaming sessions says how many they show: the other ones, and those that
// are connecting, are unseen. (When there are fewer sessions than the means
// show, what the running ones cannot cost is the use of those that have ended,
// and does not count.) One more session is admitted while
//
//	use + (unseen + booked + 1)·cost ≤ Target·available
//
// holds for both resources, and while no more sessions are unseen than seen. So
// a cold server doubles its sessions every few seconds instead of taking a
// crowd whose cost nobody knows. A booked place is held by nobody yet, and often
// for longer than the session then takes: it counts by its cost alone, else
// places of clients who take their time would keep a server from ever
// seeing sessions. Before a cost was measured, as many sessions and booked places
// are taken as a cautious guess of it allows.
package admission
