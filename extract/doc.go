// Package extract cuts face crops out of a benchmark's videos, with the code
// that decodes, detects and crops live streams, and writes the tables of
// package benchmark: a record for each video, then report and manifest.
//
// [Run] goes on where a run before it stopped: a video whose record stands is
// not read again. Several runs may share one folder, each with a [Shard] of its
// own; whichever finds all videos done writes the manifest. [Verify] extracts
// nothing and reports whether a dataset's copy is complete.
package extract
