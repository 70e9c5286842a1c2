// Package live owns every connected session from its first connection to its
// end. It knows neither HTTP nor signalling: package ingest calls it.
//
// Who ends a session is one rule. A session without a connection belongs to
// nobody; the sweep ends it when nobody has connected in time. A connected
// session belongs to one Connection, whose goroutine alone decides how it ends,
// writes that down and tells the client. While the connection lives, its server
// renews the session's lease; when the server dies, the lease runs out, and the
// sweep of any server ends the session.
package live
