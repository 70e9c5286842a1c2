package injection

import (
	"math"
	"time"

	"github.com/liveproof/liveproof"
)

const (
	// ntpSecond is a second in the units of SenderReport.NTP.
	ntpSecond = 1 << 32
	// driftSpan is the shortest time between reports over which their clocks are compared.
	driftSpan = 3 * time.Second
	// roundings of both clocks at both ends of the span, in ms.
	roundings = 4
	// reportsBy is when a browser has sent a report for sure; it sends one about every second.
	reportsBy = 6 * time.Second
)

// From which value on a report is a sign, and from which it is as clear as can be.
const (
	oddDrift, sureDrift = 1000.0, 10000.0 // ppm: crystals differ by 100, a player's speed by 10000
	oddJump, sureJump   = 30.0, 200.0     // ms
	oddLag, sureLag     = 1000.0, 5000.0  // ms: a picture may wait in the sender's queue
)

// reports compares the sender reports (RFC 3550, 6.4.1) with each other and with the pictures.
type reports struct {
	begin       time.Time // of the stream
	newest      time.Time // arrival of the newest picture
	taken       int64     // SenderReport.Count of the newest report that was taken
	known       int       // reports of this stream
	first, last mapping
	jump        float64 // largest change of the mapping from one report to the next, in ms
	lag         float64 // by how much the newest report's media time is ahead of the picture's, in ms
}

// mapping of the sender's two clocks by one report.
type mapping struct {
	ntp   uint64
	media time.Duration // of the stream, at that moment
}

// observe takes a picture with the newest report. A report is compared with the first picture after it: by then both are of one stream.
func (r *reports) observe(u *liveproof.AccessUnit, report *liveproof.SenderReport) {
	if r.begin.IsZero() {
		r.begin = u.ArrivedAt
	}
	r.newest = u.ArrivedAt
	if report == nil || report.Count == r.taken || u.ArrivedAt.Before(report.ArrivedAt) || report.ArrivedAt.Before(r.begin) {
		return
	}
	r.taken = report.Count
	ahead := time.Duration(int32(report.RTP-u.Timestamp)) * time.Second / ticksPerSecond
	m := mapping{report.NTP, u.PTS + ahead}
	r.lag = (u.ArrivedAt.Sub(report.ArrivedAt) + ahead).Seconds() * 1e3
	if r.known == 0 {
		r.first = m
	} else {
		_, apart := m.since(r.last)
		r.jump = max(r.jump, math.Abs(apart))
	}
	r.known, r.last = r.known+1, m
}

// since is the sender's time between two reports in seconds, and by how much the media's time differs from it in ms.
func (m mapping) since(before mapping) (seconds, apart float64) {
	seconds = float64(int64(m.ntp-before.ntp)) / ntpSecond
	return seconds, ((m.media - before.media).Seconds() - seconds) * 1e3
}

// drift of the media clock against the sender's clock in ppm; rounding is taken off.
func (r *reports) drift() (ppm float64, known bool) {
	seconds, apart := r.last.since(r.first)
	if r.known < 2 || seconds < driftSpan.Seconds() {
		return 0, false
	}
	return math.Copysign(max(0, math.Abs(apart)-roundings), apart) / seconds * 1e3, true
}

// oddity is how surely the reports are not those of a sender that has one clock, in [0,1]. Only of a browser reports can be expected.
func (r *reports) oddity(browser bool) float64 {
	if r.known == 0 {
		return indicator(browser && r.newest.Sub(r.begin) > reportsBy)
	}
	ppm, _ := r.drift()
	return max(ramp(math.Abs(ppm), oddDrift, sureDrift), ramp(r.jump, oddJump, sureJump), ramp(math.Abs(r.lag), oddLag, sureLag))
}

// ramp is 0 up to low, 1 from high on.
func ramp(v, low, high float64) float64 { return min(1, max(0, (v-low)/(high-low))) }
