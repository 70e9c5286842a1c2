package report

import (
	"html/template"
	"strconv"
	"strings"
)

// numberFuncs write numbers: rates in per cent without the sign, which the table's heading has.
var numberFuncs = template.FuncMap{
	"pct":       bare,
	"percent":   func(v float64) string { return plain(100*v) + " %" },
	"pctp":      func(v *float64) string { return bare(*v) },
	"range2":    bareRange,
	"range2p":   func(low, high *float64) string { return bareRange(*low, *high) },
	"precise":   precise,
	"precisep":  func(v *float64) string { return precise(*v) },
	"threshold": shownThreshold,
	"score":     func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) },
	"secs":      func(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) },
	"printed":   printed,
}

func bare(v float64) string { return strings.TrimSuffix(percent(v), " %") }

func bareRange(low, high float64) string { return bare(low) + "–" + bare(high) }

// precise has the two decimals that published tables have.
func precise(v float64) string { return strconv.FormatFloat(100*v, 'f', 2, 64) }

// shownThreshold takes a threshold or a pointer to one.
func shownThreshold(v any) string {
	t, ok := v.(float64)
	if p, isPointer := v.(*float64); isPointer && p != nil {
		t, ok = *p, true
	}
	if !ok {
		return "–"
	}
	if t > 1 {
		return "above 1"
	}
	return strconv.FormatFloat(t, 'f', 4, 64)
}

// printed writes a published figure, with its deviation.
func printed(v, std *float64) string {
	if v == nil {
		return "–"
	}
	s := strconv.FormatFloat(*v, 'f', 2, 64)
	if std != nil {
		s += " ± " + strconv.FormatFloat(*std, 'f', 2, 64)
	}
	return s
}
