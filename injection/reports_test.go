package injection

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// reporting is a sender of 30 pictures a second that reports every second.
type reporting struct {
	speed  float64                                   // of its media clock against the clock of its reports
	report func(at time.Duration) (ntp, rtp float64) // seconds of error
	silent bool
	lasts  time.Duration
}

func (s reporting) observed() *reports {
	const first = uint32(0xffff_0000) // wraps around soon
	var r reports
	var newest *liveproof.SenderReport
	begin := time.Unix(1000, 0)
	for i := 0; time.Duration(i)*time.Second/30 < s.lasts; i++ {
		at := time.Duration(i) * time.Second / 30
		media := func(at time.Duration, off float64) uint32 {
			return first + uint32(int64((at.Seconds()*s.speed+off)*ticksPerSecond))
		}
		if i%30 == 7 && !s.silent {
			ntp, rtp := 0.0, 0.0
			if s.report != nil {
				ntp, rtp = s.report(at)
			}
			newest = &liveproof.SenderReport{Count: int64(i/30 + 1), NTP: uint64((3e9 + at.Seconds() + ntp) * ntpSecond), RTP: media(at, rtp), ArrivedAt: begin.Add(at)}
		}
		pts := time.Duration(at.Seconds() * s.speed * 1e9)
		r.observe(&liveproof.AccessUnit{PTS: pts, Timestamp: media(at, 0), ArrivedAt: begin.Add(at + 20*time.Millisecond)}, newest)
	}
	return &r
}

func TestReports(t *testing.T) {
	jump := func(at time.Duration) (ntp, rtp float64) { return 0.3 * indicator(at > 4*time.Second), 0 }
	rounded := func(at time.Duration) (ntp, rtp float64) { return 0.001 * float64(int(at.Seconds())%2), 0 }
	zero := func(time.Duration) (ntp, rtp float64) { return 0, -3600 }
	for name, test := range map[string]struct {
		sender  reporting
		browser bool
		low, up float64 // of the oddity
	}{
		"one clock, read to the millisecond":      {reporting{speed: 1, report: rounded, lasts: 8 * time.Second}, true, 0, 0},
		"a crystal that is 100 ppm fast":          {reporting{speed: 1.0001, lasts: 8 * time.Second}, true, 0, 0},
		"a recording that is played 3 % too fast": {reporting{speed: 1.03, lasts: 8 * time.Second}, true, 1, 1},
		"a clock that jumps":                      {reporting{speed: 1, report: jump, lasts: 8 * time.Second}, true, 1, 1},
		"reports of another media time":           {reporting{speed: 1, report: zero, lasts: 2 * time.Second}, true, 1, 1},
		"a browser without reports":               {reporting{speed: 1, silent: true, lasts: 8 * time.Second}, true, 1, 1},
		"a browser without reports so far":        {reporting{speed: 1, silent: true, lasts: 5 * time.Second}, true, 0, 0},
		"a program without reports":               {reporting{speed: 1, silent: true, lasts: 8 * time.Second}, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := test.sender.observed()
			odd := r.oddity(test.browser)
			require.GreaterOrEqual(t, odd, test.low)
			require.LessOrEqual(t, odd, test.up)
		})
	}
	ppm, known := reporting{speed: 1.03, lasts: 9 * time.Second}.observed().drift()
	require.True(t, known)
	require.InDelta(t, 30000, ppm, 1000)
}

// TestReportOfTheStreamBefore does not count: a stream is compared with reports that came after it began.
func TestReportOfTheStreamBefore(t *testing.T) {
	var r reports
	old := &liveproof.SenderReport{Count: 3, ArrivedAt: time.Unix(9, 0)}
	r.observe(&liveproof.AccessUnit{ArrivedAt: time.Unix(10, 0)}, old)
	require.Zero(t, r.known)
	// A picture that came before the report waits in the queue.
	r.observe(&liveproof.AccessUnit{ArrivedAt: time.Unix(11, 0)}, &liveproof.SenderReport{Count: 4, ArrivedAt: time.Unix(12, 0)})
	require.Zero(t, r.known)
}
