// Package injection measures signs of video that does not come straight from a camera: a file, a virtual camera whose pictures were
// converted to another frame rate, a recording that was encoded before. It sees what the server receives: the timestamps and the bitstream
// of each access unit, a thumbnail of each picture, the sampled pictures, and the offer (SDP).
//
// Each measurement has a name in the timeline (Finding.Signals, injection.*). Some of them give a risk in [0,1]
// (injection.risk.*); the largest one is the session's (liveproof.Injection). Above the threshold it withholds live
// (liveproof.ReasonInjectionSuspected) and does nothing else. docs/injection.md says what was measured, on which senders.
package injection
