package report

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liveproof/liveproof/evaluation"
)

// wordFuncs write sentences and names.
var wordFuncs = template.FuncMap{
	"words": func(rule Rule) ruleView { w := ruleWords[rule]; return ruleView{w.name, w.chosen} },
	"facts": headline,
	"cut":   short,
	"model": func(a About) string {
		return joined(a.Model.Name, strings.TrimSpace(a.Model.Provider+" "+a.Model.Precision))
	},
	"unbroken":     unbroken.Replace,
	"threshold0":   thresholdWords,
	"via":          func(v evaluation.Via) string { return viaWords[v] },
	"host":         hostWords,
	"when":         func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	"command":      quoted,
	"counts":       countWords,
	"countingRule": func() string { return countingRule },
}

// unbroken keeps a range and a number with its sign on one line: word joiners around the dash, and a space that does not break.
var unbroken = strings.NewReplacer("–", "\u2060–\u2060", " %", "\u00a0%")

type ruleView struct{ Name, Chosen string }

// headline is the line below the title.
func headline(r *Report) string {
	population := ""
	if r.Population != "" {
		population = "population " + r.Population
	}
	day := ""
	if !r.About.Time.IsZero() {
		day = r.About.Time.UTC().Format("2 January 2006")
	}
	measured := fmt.Sprintf("%s of %s", attemptWords(r.Counts), number(r.Counts.Subjects, "subject"))
	return joined(measured, r.Protocol, population, r.About.Model.Name, viaShort[r.About.Via], day)
}

var viaShort = map[evaluation.Via]string{evaluation.ViaDirect: "from files", evaluation.ViaWebRTC: "over WebRTC"}

func hostWords(h Host) string {
	cores, memory := "", ""
	if h.Cores > 0 {
		cores = number(h.Cores, "core")
	}
	if h.Memory > 0 {
		memory = strconv.FormatFloat(float64(h.Memory)/(1<<30), 'f', 1, 64) + " GiB"
	}
	return joined(h.OS, h.CPU, cores, memory)
}

func countWords(c Counts) string {
	return fmt.Sprintf("%s of %s; %s; %d without a scored frame", attemptWords(c), number(c.Subjects, "subject"), number(c.Stills, "still picture"), c.NotAcquired)
}

// quoted writes a command line as a shell reads it.
func quoted(words []string) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = w
		if w == "" || strings.ContainsAny(w, " \t\"'\\$&|;<>()*?[]{}#~`!") {
			list[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(list, " ")
}

// short keeps a name short enough for an axis or a cell.
func short(name string) string {
	const most = 26
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return string([]rune(name)[:most-1]) + "…"
}
