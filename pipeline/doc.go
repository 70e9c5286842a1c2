// Package pipeline runs one session's stages, from decoded pictures to a
// recorded verdict:
//
//	sample → detect → crop → score (several in flight) → judge → journal
//
// Every stage is a goroutine that Run owns, with a bounded queue before it.
// Live media: newest wins, and what is dropped is counted by stage and reason.
// Files: lossless, the reader waits. Every sampled frame reaches the judge
// exactly once, scored or with the reason why not, in the order of sampling.
//
// The watcher of identity may answer later than its view goes on. Until it does, samples are scored and judged, and no decision rests on
// them (docs/adr/0014-identity.md).
//
// A call that stands at live is sampled less often; any doubt restores the full rate
// (docs/adr/0011-attention.md). One-shot sessions keep the full rate. So do files, whose
// samples must not depend on how far the judge is behind the reader.
//
// An image has one owner: the stage that holds its frame. Full images end at the
// crop stage, crops at the score stage. One session holds at most
// 2·QueueSize+3 full images and QueueSize+InFlight+1 crops at a time: at 640×480
// and the defaults 6.5 MB and 0.9 MB. FrozenWindow past pictures are remembered
// by 1 KiB each.
//
// It fails closed: no error, panic, timeout, overload or unrecorded write ever
// yields live.
package pipeline
