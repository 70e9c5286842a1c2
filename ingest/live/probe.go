package live

import "github.com/liveproof/liveproof"

// Adjusts notes whether the client says that it follows the probe that it was told.
func (c *Connection) Adjusts(able bool) { c.able.Store(able) }

// probe tells the client; it never blocks.
func (c *Connection) probe(p liveproof.Probe) { c.listener.Event(liveproof.Event{Probe: &p}) }
