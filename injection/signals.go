package injection

import "github.com/liveproof/liveproof"

// The names of the risks, after liveproof.InjectionRiskPrefix. Each is in [0,1]; its ceiling says how much it can prove alone.
const (
	riskRepeats     = "repeats"     // pictures repeat at regular places: the frame rate was converted
	riskEncoder     = "encoder"     // the offer is a browser's, the stream is not
	riskAttestation = "attestation" // the verifier refused the client's statement
	riskCadence     = "cadence"     // the timestamps are an exact grid, as those of files are
	riskProbe       = "probe"       // the client says that it follows a probe, and the stream does not
	riskReports     = "reports"     // the sender reports contradict each other or the pictures, or a browser sends none
	riskQuantiser   = "quantiser"   // the quantiser is constant where a rate control would change it
	riskSway        = "sway"        // the changes from picture to picture follow a short period: pictures were blended
)

// Ceilings of the risks that honest senders show too, below any useful threshold. docs/injection.md has their false alarms.
const (
	cadenceCeiling = 0.3
	swayCeiling    = 0.5
	// probeCeiling, reportsCeiling and quantiserCeiling: hundreds of honest sessions showed no alarm, but of too few kinds of sender to withhold.
	probeCeiling     = 0.75
	reportsCeiling   = 0.5
	quantiserCeiling = 0.5
	// repeatsCeiling: some honest recordings repeat pictures at regular places, and so may a camera in the dark.
	repeatsCeiling = 0.75
	// encoderCeiling is that of an encoder which no browser has, in a stream whose sender does not claim to be one.
	encoderCeiling = 0.3
	// sureRepeats is the regularity of repeats (pattern.repeats) that no simulated honest sender comes near to.
	sureRepeats = 0.75
	// sureGrid and sureMillis tell timestamps that libwebrtc cannot have made, whose clock counts whole milliseconds.
	sureGrid, sureMillis = 0.98, 0.5
)

// ceilings of all risks.
var ceilings = map[string]float64{
	riskRepeats: repeatsCeiling, riskEncoder: 1, riskAttestation: 1, riskCadence: cadenceCeiling, riskSway: swayCeiling,
	riskProbe: probeCeiling, riskReports: reportsCeiling, riskQuantiser: quantiserCeiling,
}

// nearCeiling is the share of its ceiling from which a risk is counted as a sign.
const nearCeiling = 0.9

// measured are all signals as they stand.
func (w *Watch) measured(a attested) map[string]float64 {
	s := map[string]float64{}
	risk := func(name string, value float64) { s[liveproof.InjectionRiskPrefix+name] = value }
	r := w.cadence.measure()
	if r.known {
		s["injection.step_ms"], s["injection.jitter_ms"], s["injection.jitter_corr"] = r.step, r.jitter, r.corr
		s["injection.grid"], s["injection.whole_ms"], s["injection.arrival_jitter_ms"] = r.grid, r.millis, r.arrival
		risk(riskCadence, cadenceCeiling*r.grid)
	}
	if p := w.changes.measure(); p.known {
		s["injection.repeats"], s["injection.repeat_period"], s["injection.sway"] = p.repeats, float64(p.period), p.sway
		risk(riskRepeats, repeatsCeiling*min(1, p.repeats/sureRepeats))
		risk(riskSway, swayCeiling*p.sway)
	}
	w.measuredByProbe(s)
	w.measuredByReports(s)
	if c := w.quantisers.measure(); c.known {
		s["injection.quantiser"], s["injection.quantiser_constant"] = c.median, c.constant
		s["injection.size_spread"], s["injection.gop_echo"] = c.sizes, c.echo
		risk(riskQuantiser, quantiserCeiling*c.oddity())
	}
	if n := w.views.noise; n.known {
		s["injection.noise"], s["injection.still"] = n.noise, n.still
	}
	if w.encoder.units > 0 {
		s["injection.x264"], s["injection.reordered"] = indicator(w.encoder.x264), w.encoder.reordered()
		s["injection.key_period"], s["injection.browser_offer"] = indicator(w.encoder.periodic()), indicator(w.claimsBrowser())
		risk(riskEncoder, w.foreignEncoder(r))
	}
	if a == attestedTrue || a == attestedFalse {
		risk(riskAttestation, indicator(a == attestedFalse))
	}
	return s
}

func (w *Watch) measuredByProbe(s map[string]float64) {
	if r := w.probe.result; r == probeFollowed || r == probeIgnored {
		s["injection.probe"], s["injection.probe_rate"] = w.probe.seconds(), float64(w.probe.asked.FrameRate)
		s[liveproof.InjectionRiskPrefix+riskProbe] = probeCeiling * indicator(r == probeIgnored)
	}
}

func (w *Watch) measuredByReports(s map[string]float64) {
	if w.reports.begin.IsZero() {
		return
	}
	s["injection.reports"] = float64(w.reports.known)
	if w.reports.known > 0 {
		s["injection.report_jump_ms"], s["injection.report_lag_ms"] = w.reports.jump, w.reports.lag
	}
	if ppm, known := w.reports.drift(); known {
		s["injection.report_drift_ppm"] = ppm
	}
	s[liveproof.InjectionRiskPrefix+riskReports] = reportsCeiling * w.reports.oddity(w.claimsBrowser())
}

func (w *Watch) claimsBrowser() bool { return w.browser != nil && *w.browser }

// foreignEncoder is how little the stream is one of a browser's encoder: x264 names itself, pictures refer to later ones, key frames come
// by themselves, or the timestamps are an exact grid of other than whole milliseconds. In a stream whose offer is not a browser's, these
// say only that a program sends it.
func (w *Watch) foreignEncoder(r rhythm) float64 {
	grid := r.known && r.grid >= sureGrid && r.millis < sureMillis
	sure := w.encoder.x264 || w.encoder.bidirectional > 0 || grid
	switch {
	case sure && w.claimsBrowser():
		return 1
	case sure || w.encoder.periodic():
		return encoderCeiling
	}
	return 0
}
