package pipeline

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// sway is a person who moves a little before a background: about as much from
// picture to picture as people before webcams do.
func sway(p *picture, scene int) {
	t := p.t.Seconds()
	at := 32 + 2*math.Sin(4*t) + 2*math.Sin(2.7*t) + 2*math.Sin(t*t/9) // never the same way twice: no loop
	p.show = func(to *liveproof.Thumbnail) {
		for i := range to {
			x, y := float64(i%liveproof.ThumbnailSide), float64(i/liveproof.ThumbnailSide)
			v := 90 + 60*math.Sin(float64(scene)+x/9)*math.Cos(y/7+float64(scene*2))
			if d := math.Hypot(x-at, y-34); d < 14 {
				v = 120 + 6*float64(scene) + 50*math.Sin((x-at)/3)*math.Cos(y/4)
			}
			to[i] = uint8(v)
		}
	}
}

// aCall is a call of so many seconds at 30 pictures a second.
func aCall(t *testing.T, seconds float64) *rig {
	r := liveRig(t, live(int(seconds*30), 30).edit(func(_ int, p *picture) { sway(p, 0) }))
	r.info.Mode = liveproof.ModeCall
	r.cfg.KeepSamples = true
	return r
}

// TestCalmCallIsSampledLess: a minute that stands at live takes a third of the
// samples, none of them further apart than the relaxed rate says.
func TestCalmCallIsSampledLess(t *testing.T) {
	for name, set := range map[string]func(*rig){
		"call":        func(*rig) {},
		"off":         func(r *rig) { r.cfg.RelaxedRate = r.cfg.SampleRate },
		"undecided":   func(r *rig) { r.models.score = always(0.5) },
		"spoof":       func(r *rig) { r.models.score = always(0.1) },
		"as a file":   func(r *rig) { r.cfg, r.src.pace = r.cfg.Files(), 0 },
		"rarer still": func(r *rig) { r.cfg.RelaxedRate, r.policy.RestartGap = 0.5, 4*time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := aCall(t, 60)
				set(r)
				v, err := r.run(context.Background())
				require.NoError(t, err)
				spared := testutil.ToFloat64(r.met.spared)
				require.Equal(t, float64(301), float64(len(r.report.Samples))+spared, "every picture of the grid is a sample or spared")
				t.Logf("%s: %d samples, %v", name, len(r.report.Samples), r.report.Unscored)
				switch name {
				case "call":
					require.Equal(t, isLive, v.Outcome)
					require.Less(t, len(r.report.Samples), 110)
				case "rarer still":
					require.Less(t, len(r.report.Samples), 90)
				default:
					require.Zero(t, spared)
				}
				for i, s := range r.report.Samples[1:] {
					require.LessOrEqual(t, s.T-r.report.Samples[i].T, r.cfg.longest()+r.cfg.period()/2+40*time.Millisecond)
				}
			})
		})
	}
}
