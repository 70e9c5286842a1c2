// Package evaluation measures the error rates of the live pipeline on labelled
// videos and pictures: a benchmark's protocol, or a person's own files.
//
// A [Plan] says what is judged and which presentation is in which set. A judge
// makes one [Result] of each [Presentation], by files or over WebRTC. From
// results the sub-package report computes the tables, and the sub-package
// metrics the error rates.
package evaluation
