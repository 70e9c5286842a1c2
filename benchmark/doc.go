// Package benchmark knows the face anti-spoofing datasets that Liveproof is
// trained and evaluated on. No other package does: layouts, names, labels, splits
// and protocols are here, and the rest of the project reads tables
// (docs/benchmarks.md) and the JSON of `liveproof protocol --list --json`.
//
// # What is where
//
// A [Dataset] is declared in a file of its own: every video that its authors
// distribute, with all that its name says, and where videos, annotations and
// lists lie. [Known] is the [Catalogue] of them.
//
// [Dataset.Discover] finds a copy on disk and matches its files against the
// declared videos: a name is either known or extra, a video either found or
// missing, and nothing is guessed from parts of a path. [Tree.Verify] compares
// the copy with what is distributed. A [Protocol] picks videos and gives each a
// role and a domain. [Dataset.Layout] is the reverse: it lists the videos to
// film for a tree of this layout. A [Record] is what extraction made of one
// video, and from the records come manifest.csv and report.json.
//
// # A further dataset
//
// Write a file that returns its [Dataset] and add that to registry.go, with the
// leave-one-out settings that it belongs to. A new form of
// annotations needs a parser for [Sidecar] and a fuzz seed. Everything else works
// from the declaration, which [NewCatalogue] checks.
//
// Published leave-one-out results rest on three different sets of videos: see [Population].
package benchmark
