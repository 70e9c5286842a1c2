package metrics

import "fmt"

// Attack is a scored attack presentation.
type Attack struct {
	Score float64
	// Species is the attack instrument species (PAI), such as print.
	Species string
	// Instrument is the very instrument, such as printer 1. Equal names are one instrument, whatever the species.
	Instrument string
}

// ISO is the rates of ISO/IEC 30107-3 at one threshold.
type ISO struct {
	Threshold float64
	// BonaFide is the rejected bona fide; its rate is BPCER.
	BonaFide Proportion
	// Species is the accepted attacks by species, and Instruments by instrument; their rates are APCER.
	Species, Instruments map[string]Proportion
	// Pooled is the accepted attacks whatever their species.
	Pooled Proportion
}

// AtThreshold returns the ISO rates at a threshold. It fails as [New] does.
func AtThreshold(bonaFide []float64, attacks []Attack, threshold float64) (ISO, error) {
	if err := checkBoth(bonaFide, scoresOf(attacks)); err != nil {
		return ISO{}, fmt.Errorf("ISO rates: %w", err)
	}
	return tally(bonaFide, attacks, threshold, func(int) int { return 1 }), nil
}

func scoresOf(attacks []Attack) []float64 {
	scores := make([]float64, len(attacks))
	for i, a := range attacks {
		scores[i] = a.Score
	}
	return scores
}

// tally counts errors. times says how often an item counts; the attacks' indices follow those of the bona fide.
func tally(bonaFide []float64, attacks []Attack, threshold float64, times func(int) int) ISO {
	r := ISO{Threshold: threshold, Species: map[string]Proportion{}, Instruments: map[string]Proportion{}}
	for i, score := range bonaFide {
		r.BonaFide = r.BonaFide.plus(!(score >= threshold), times(i))
	}
	for i, a := range attacks {
		n := times(len(bonaFide) + i)
		if n == 0 {
			continue
		}
		accepted := a.Score >= threshold
		r.Pooled = r.Pooled.plus(accepted, n)
		r.Species[a.Species] = r.Species[a.Species].plus(accepted, n)
		r.Instruments[a.Instrument] = r.Instruments[a.Instrument].plus(accepted, n)
	}
	return r
}

// BPCER is the share of bona fide that are rejected.
func (r ISO) BPCER() float64 { return r.BonaFide.Rate() }

// APCER is the standard's: the worst over the species.
func (r ISO) APCER() float64 { return worst(r.Species) }

// APCERInstrument is the worst over the single instruments.
func (r ISO) APCERInstrument() float64 { return worst(r.Instruments) }

// APCERPooled is over all attacks whatever their species, as much published code has it.
func (r ISO) APCERPooled() float64 { return r.Pooled.Rate() }

// ACER is the mean of APCER and BPCER.
func (r ISO) ACER() float64 { return (r.APCER() + r.BPCER()) / 2 }

// ACERInstrument is the mean of APCERInstrument and BPCER.
func (r ISO) ACERInstrument() float64 { return (r.APCERInstrument() + r.BPCER()) / 2 }

// ACERPooled is the mean of APCERPooled and BPCER.
func (r ISO) ACERPooled() float64 { return (r.APCERPooled() + r.BPCER()) / 2 }

func worst(of map[string]Proportion) (rate float64) {
	for _, p := range of {
		rate = max(rate, p.Rate())
	}
	return rate
}
