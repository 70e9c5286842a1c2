package benchmark

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnknownDataset(t *testing.T) {
	_, err := Known().Open("unheard-of")
	require.ErrorContains(t, err, "known are oulu, casia, replay, msu")
}

func TestUnknownProtocol(t *testing.T) {
	_, err := Known().Protocol("OCM-O", PopulationSplit)
	require.ErrorContains(t, err, "known are oulu-1")
	_, err = Known().Protocol("OCI-M", "most")
	require.ErrorContains(t, err, "known are [split all-nodev everything]")
}

// Every contradiction in a declaration is refused, and all are reported together.
func TestContradictingDeclarationsAreRefused(t *testing.T) {
	for says, change := range map[string]func(*Dataset){
		"learn/people/1 is declared twice":                     func(d *Dataset) { d.Videos = append(d.Videos, d.Videos[0]) },
		"lies in none of the folders [learn judge]":            func(d *Dataset) { d.Videos[0].ID = "elsewhere/1" },
		`no camera "back" is declared`:                         func(d *Dataset) { d.Videos[0].Camera = "back" },
		`no instrument "mask" for print is declared`:           func(d *Dataset) { d.Videos[1].Instrument = "mask" },
		`no instrument "poster" for replay is declared`:        func(d *Dataset) { d.Videos[1].PAI = Replay },
		`no instrument "" for cut is declared`:                 func(d *Dataset) { d.Videos[0].PAI = Cut },
		`subject "Ann" is not a number`:                        func(d *Dataset) { d.Videos[0].Subject = "Ann" },
		"toy and msu share a name, letter or title":            func(d *Dataset) { d.Letter = "M" },
		"toy and msu share persons: 240 to 246 and 231 to 286": func(d *Dataset) { d.FirstPerson = 240 },
	} {
		d := toy()
		change(&d)
		_, err := NewCatalogue(nil, msu(), d)
		require.ErrorContains(t, err, says)
	}
	for _, name := range []string{"OX-M", "OM", "M-M", "O-MC", "-M", "O-", "OM-O", ""} {
		_, err := NewCatalogue([]string{"O-M", name}, oulu(), msu())
		require.ErrorContains(t, err, name+": ", "%q", name)
	}
	_, err := NewCatalogue([]string{"X-M"}, msu(), msu())
	require.ErrorContains(t, err, "share a name")
	require.ErrorContains(t, err, "no dataset has the letter X", "both faults at once")
}

// A catalogue takes copies: what it fills in does not reach another catalogue.
func TestDeclarationsAreCopied(t *testing.T) {
	d := toy()
	_, err := NewCatalogue(nil, d)
	require.NoError(t, err)
	require.Empty(t, d.Videos[0].Dataset)
	require.Empty(t, d.Instruments[0].Device)
	require.Nil(t, d.Protocols[0].train)
}
