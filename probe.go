package liveproof

import (
	"encoding/json"
	"time"
)

// Probe asks a client to send fewer pictures a second for a while. The server draws it at random and looks in the stream for its effect,
// which a program that plays a recording does not show. The client restores its settings by itself.
type Probe struct {
	// FrameRate is how many pictures a second the client may send at most, from 1.
	FrameRate int
	// Duration is for how long, from when the client hears of it.
	Duration time.Duration
}

// MarshalJSON implements json.Marshaler: the form in which clients are told a probe, with the time in seconds.
func (p Probe) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"frame_rate": p.FrameRate, "duration": p.Duration.Seconds()})
}

// ProbedSource is an optional interface of a UnitSource whose client can be told a probe.
type ProbedSource interface {
	// Probe tells the client; it never blocks. A client that knows probes answers whether it follows (Sender.Adjusts).
	Probe(p Probe)
}

// SenderReport is one RTCP sender report (RFC 3550, 6.4.1) of the stream in use: the sender's statement which RTP timestamp its clock has at
// which time. The sender can write anything into it.
type SenderReport struct {
	// Count numbers the reports, from 1.
	Count int64
	// NTP is the sender's time, in units of 2⁻³² s (RFC 5905, 6).
	NTP uint64
	// RTP is the RTP timestamp of the same moment.
	RTP uint32
	// ArrivedAt is the server's time at which the report came.
	ArrivedAt time.Time
}
