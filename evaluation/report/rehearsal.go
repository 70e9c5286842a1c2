package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// Rehearsal orders the figures as a laboratory's report by ISO/IEC 30107-3 does. It is no conformity assessment.
type Rehearsal struct {
	// By says on what the rates rest: verdict, or, for still pictures, score.
	By string `json:"by"`
	// Species has a row each, in the order of Report.Species.
	Species []RehearsalRow `json:"species"`
	// Series has a row for each instrument of a species.
	Series []RehearsalRow `json:"series,omitempty"`
	// MaxAPCER is of the species whose APCER is greatest.
	MaxAPCER *RehearsalRow `json:"max_apcer,omitempty"`
	BonaFide *RehearsalRow `json:"bona_fide,omitempty"`
	// IAPMR says why the impostor attack presentation match rate is not given.
	IAPMR string `json:"iapmr"`
	// Conditions are how was tested; Beyond is what a laboratory asks for in addition; Not is what this is not.
	Conditions []Fact   `json:"conditions"`
	Beyond     []string `json:"beyond"`
	Not        string   `json:"not"`
}

// RehearsalRow is a species, an instrument, or the bona fide.
type RehearsalRow struct {
	Name     string `json:"name"`
	Species  string `json:"species,omitempty"`
	Subjects int    `json:"subjects"`
	Attempts int    `json:"attempts"`
	// Errors is APCER of attacks, live of all attempts; BPCER of bona fide: spoof of all attempts. Upper is its one-sided bound.
	Errors Rate    `json:"errors"`
	Upper  float64 `json:"upper"`
	// NoResponse is APNRR or BPNRR: neither live nor spoof; absent where only scores are known.
	NoResponse *Rate `json:"no_response,omitempty"`
	// NotLive of bona fide is spoof or no response.
	NotLive *Rate `json:"not_live,omitempty"`
}

// Fact is a condition of the test.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

const (
	iapmr = "Not applicable. IAPMR counts attacks that match an enrolled person. Liveproof has no comparison subsystem, so nothing is compared."
	not   = "This is a rehearsal with one’s own attacks, instruments and people. It is not a conformity assessment to ISO/IEC 30107-3, not a " +
		"certification, and not a statement of a laboratory. No accredited body took part."
)

var beyond = []string{
	"Attacks made and presented by people who are paid to succeed, with time to prepare and repeat, at each level of attack potential.",
	"Several species of each level, several instruments of each species (a series), and each instrument’s recipe on record: source picture, printer or display, paper, size, distance.",
	"Enough attempts that zero errors mean something: after 0 errors in n attempts the true APCER can still be about 3/n (95 %). A claim of 1 % needs about 300 attempts of each species.",
	"Bona fide people of both sexes, several age groups and skin tones, with and without glasses, beards and make-up; about 300 for a claim of 1 %, because videos of one person count for less.",
	"The capture devices, the light and the distance of the real deployment, written down for each attempt, and the same software and threshold throughout.",
	"The full system: with a matcher, IAPMR for impostor attacks; with a retry policy, rates by transaction and not by attempt.",
}

// rehearsal is made of verdicts, and of scores at the model's threshold where all files are still pictures.
func rehearsal(r *Report, measured []record) *Rehearsal {
	h := &Rehearsal{By: "verdict", IAPMR: iapmr, Beyond: beyond, Not: not, Conditions: conditions(r)}
	judged := filter(measured, func(r record) bool { return !r.Still })
	row := verdictAttempts
	if len(judged) == 0 {
		h.By, judged = "score", measured
		t := modelThreshold(r.About)
		if t.missing != "" {
			h.By = ""
			return h
		}
		row = scoreAttempts(t.value)
	}
	bonaFide, attacks := split(judged)
	for _, species := range speciesOf(attacks) {
		of := filter(attacks, func(r record) bool { return r.AttackType == species })
		h.Species = append(h.Species, *row(species, species, of))
		if haveInstruments(of) {
			h.addSeries(of, row)
		}
	}
	for i := range h.Species {
		if h.MaxAPCER == nil || h.Species[i].Errors.Value > h.MaxAPCER.Errors.Value {
			h.MaxAPCER = &h.Species[i]
		}
	}
	h.BonaFide = row("bona fide", "", bonaFide)
	return h
}

func (h *Rehearsal) addSeries(attacks []record, row attempts) {
	for _, name := range attackValues(attacks, "instrument") {
		of := filter(attacks, func(r record) bool { return r.Instrument == name })
		h.Series = append(h.Series, *row(name, attacks[0].AttackType, of))
	}
}

// attempts makes a row; nil without attempts.
type attempts func(name, species string, of []record) *RehearsalRow

func verdictAttempts(name, species string, of []record) *RehearsalRow {
	v := verdictRow(name, of)
	if v == nil {
		return nil
	}
	errors := v.Live
	row := newRow(name, species, of)
	if species == "" {
		errors, row.NotLive = v.Spoof, &v.NotLive
	}
	row.Errors, row.NoResponse, row.Upper = errors, &v.Inconclusive, upper(errors.Proportion)
	return row
}

func scoreAttempts(t float64) attempts {
	return func(name, species string, of []record) *RehearsalRow {
		if len(of) == 0 {
			return nil
		}
		p := acceptedAt(of, t)
		if species == "" {
			p = rejectedAt(of, t)
		}
		row := newRow(name, species, of)
		row.Errors, row.Upper = rate(p), upper(p)
		return row
	}
}

func newRow(name, species string, of []record) *RehearsalRow {
	c := count(of)
	return &RehearsalRow{Name: name, Species: species, Subjects: c.Subjects, Attempts: c.All()}
}

// upper is the one-sided bound of a proportion of at least one.
func upper(p metrics.Proportion) float64 {
	bound, err := p.UpperBound(Level)
	if err != nil {
		panic(err) // the callers count at least one presentation
	}
	return bound
}

func boundWithoutError(n int) float64 { return upper(metrics.Proportion{Of: max(n, 1)}) }

// conditions are the facts of the test that are known.
func conditions(r *Report) (facts []Fact) {
	for _, f := range []Fact{
		{"Item under test", strings.TrimSpace("Liveproof " + r.About.Version)},
		{"Kind of system", "Presentation attack detection subsystem: video in, verdict out. No capture device and no comparison subsystem are part of it."},
		{"Model", modelWords(r.About)},
		{"Face detector", r.About.Detector},
		{"Configuration (sha256)", r.About.ConfigSHA256},
		{"Threshold", thresholdWords(r.About)},
		{"Presented", viaWords[r.About.Via]},
		{"An attempt", "One file. There are no retries: every file counts once."},
		{"Attempts", fmt.Sprintf("%s, of %s", attemptWords(r.Counts), number(r.Counts.Subjects, "subject"))},
	} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

func attemptWords(c Counts) string {
	return fmt.Sprintf("%d bona fide and %s", c.BonaFide, number(c.Attacks, "attack"))
}

func modelWords(a About) string {
	if a.Model.SHA256 == "" {
		return a.Model.Name
	}
	return fmt.Sprintf("%s, sha256 %s", a.Model.Name, a.Model.SHA256)
}

func thresholdWords(a About) string {
	if a.Model.Threshold <= 0 {
		return ""
	}
	words := fmt.Sprintf("ρ ≥ %.4f", a.Model.Threshold)
	if a.ThresholdFrom != "" {
		words += ": " + a.ThresholdFrom
	}
	return words
}

// capital begins a sentence.
func capital(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}
