// Package extract cuts face crops out of a benchmark's videos, with the code
// that decodes, detects and crops live streams, and writes the tables of
// package benchmark: a record for each video, then report and manifest.
//
// [Run] continues where an earlier run stopped: a video with a record is not
// read again. Several runs may share one folder, each with its own [Shard]; the
// run that finds all videos done writes the manifest. [Verify] extracts nothing
// and reports whether a dataset's copy is complete.
package extract
