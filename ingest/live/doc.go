// Package live owns every connected session from its first connection to its
// end. It knows neither HTTP nor signalling; package ingest calls it.
//
// One rule says who ends a session. A session without a connection has no
// owner; the sweep ends it when no client has connected in time. A connected
// session belongs to one Connection, whose goroutine alone decides how it ends,
// writes the ending and tells the client. While the connection lives, its
// server renews the session's lease; when the server dies, the lease runs out,
// and the sweep of any server ends the session.
package live
