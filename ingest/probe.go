package ingest

import (
	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
)

// probeMessage tells a probe.
func probeMessage(p liveproof.Probe) message { return message{"type": "probe", "probe": p} }

// adjusts takes a client's answer to a probe: whether it follows.
func adjusts(m clientMessage, c *live.Connection) { c.Adjusts(*m.Able) }
