// Package report computes an evaluation's tables and writes them: report.json
// for programs, report.html for people (one file that needs nothing else), and
// a compact text for the terminal.
//
// Terms follow ISO/IEC 30107-3. A score is accepted as bona fide at or above
// the threshold. Every rate is a share in [0,1] with the counts it comes from;
// the page shows per cent.
package report
