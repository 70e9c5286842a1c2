// Package benchmark knows the four face anti-spoofing datasets: OULU-NPU (O),
// CASIA-FASD (C), Replay-Attack (I) and MSU-MFSD (M). It is the only place that
// does: layouts, names, labels, splits and protocols are here, and the rest of
// the project sees tables (docs/benchmarks.md).
//
// # What is where
//
// A [Dataset] is generated: [Dataset.Videos] lists every video that its authors
// distribute, with all that the name tells. [Dataset.Discover] finds a copy on
// disk and matches its files against that list, so that a name is either known
// or extra, and a video is either found or missing; nothing is guessed from
// parts of a path. A [Protocol] picks videos and gives each a role and a domain.
// [Dataset.Layout] is the way back: what would have to be filmed for a tree of
// this layout. A [Record] is what extraction made of one video, and from the
// records come manifest.csv and report.json.
//
// # Traps, and where they are met
//
//   - OULU-NPU's first number is the phone, the second the session (oulu.go).
//   - CASIA-FASD numbers the people of its two folders alike: 20 is added for
//     test_release (casia.go). Its cameras are A, B and HR, never low or normal.
//   - Replay-Attack uses the same file name under fixed/ and hand/, so the
//     folder is part of a video's identity (replayattack.go).
//   - MSU-MFSD's lists have two digits and CRLF, its names three digits; its
//     .face rows hold corners where Replay-Attack's hold a size (msu.go,
//     sidecar.go). Six of its clips are stored upside down: [Video.Turned].
//   - Suffixes come in both cases and datasets in outer folders (discover.go).
//   - OULU-NPU's lists are generated from a table and its list files are only
//     compared with it (ouluprotocol.go, oululist.go).
//
// Published leave-one-out results rest on three different sets of videos; see [Population].
package benchmark
