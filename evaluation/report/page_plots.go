package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
)

// plotFuncs draw, and explain what is drawn.
var plotFuncs = template.FuncMap{
	"histogram":     func(r *Report) template.HTML { return plotHistogram(r.Histogram, r.species()) },
	"det":           func(r *Report) template.HTML { return plotDET(r, r.species()) },
	"roc":           func(r *Report) template.HTML { return plotROC(r, r.species()) },
	"times":         plotTimes,
	"whiskers":      whiskers,
	"video":         viewVideo,
	"thresholdKeys": thresholdKeys,
	"curveKeys":     curveKeys,
	"timeKeys":      timeKeys,
	"qualityKeys":   qualityKeys,
	"qualityPlot":   plotQuality,
	"interval":      QualityBin.interval,
}

// key is a line of a legend.
type key struct {
	Colour template.CSS
	Width  template.CSS
	Dashes template.CSS
	Text   string
}

func newKey(l look, width float64, text string) key {
	lengths := make([]string, len(l.dashes))
	for i, d := range l.dashes {
		lengths[i] = fmt.Sprintf("%.1f", 4*d.Points()/3)
	}
	list := strings.Join(lengths, " ")
	if list == "" {
		list = "none"
	}
	return key{template.CSS("var(" + l.ink.variable + ")"), template.CSS(plain(width)), template.CSS(list), text} //nolint:gosec // the program's own colours and lengths
}

func curveKeys(r *Report) (keys []key) {
	of := r.species()
	for _, c := range r.Curves {
		name := c.Name
		if name == "all" {
			name = "all attacks"
		}
		keys = append(keys, newKey(lookOf(c, of), 1.3*weight(c).Points(), fmt.Sprintf("%s (%d), AUC %s", short(name), c.Attacks, percent(c.AUC))))
	}
	return keys
}

func timeKeys(times []TimeRow) (keys []key) {
	for i, row := range times {
		keys = append(keys, newKey(timeLook(row, i), 2, row.Name))
	}
	return keys
}

// thresholdKey explains a threshold's mark; with several folds only the model's has one.
type thresholdKey struct{ Path, Text string }

// markPaths are the glyphs of the legend, as the plots have them.
var markPaths = map[Rule]string{
	RuleModel:     "M1.5 5.5a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
	RuleRealistic: "M2 2h7v7h-7z",
	RuleIdealised: "M5.5 1.2L10 9.2H1z",
}

func thresholdKeys(r *Report) (keys []thresholdKey) {
	folds := false
	for _, l := range r.Histogram.Lines {
		if l.Fold != "" {
			folds = true
			continue
		}
		keys = append(keys, thresholdKey{markPaths[l.Rule], ruleAdjective[l.Rule] + " threshold, " + shownThreshold(l.Threshold)})
	}
	if folds {
		keys = append(keys, thresholdKey{"", "thin lines: each fold’s realistic and idealised thresholds"})
	}
	return keys
}

// whiskers draws the groups' error rates at the main threshold: of attacks, or of bona fide.
func whiskers(r *Report, groups []Group, attacks bool) template.HTML {
	rule, _ := r.mainRule()
	rows := make([]whisker, 0, len(groups))
	for _, g := range groups[:min(len(groups), most)] {
		w := whisker{g.Value, g.At[rule].BPCER}
		if attacks {
			w.rate = g.At[rule].APCERPooled
		}
		if w.name == "" {
			w.name = "no value"
		}
		rows = append(rows, w)
	}
	if attacks {
		return plotWhiskers("APCER of all attacks", rows, look{ink: inkText})
	}
	return plotWhiskers("BPCER", rows, look{ink: inkLive})
}

// videoView is a worst video.
type videoView struct {
	Video
	Facts   string
	Plot    template.HTML
	Picture template.URL
}

func viewVideo(r *Report, v Video) videoView {
	l := look{ink: inkLive}
	class := "bona fide"
	if v.AttackType != "" {
		l, class = r.species()[v.AttackType], v.AttackType
	}
	instrument := v.Instrument
	if instrument == v.AttackType {
		instrument = ""
	}
	view := videoView{Video: v, Facts: joined(class, instrument, "subject "+v.Subject, verdictWords(v)), Picture: picture(r.thumbnails[v.Name])}
	if len(v.Timeline) > 1 {
		_, t := r.mainRule()
		view.Plot = plotTimeline(v, t, l)
	}
	return view
}

func verdictWords(v Video) string {
	switch {
	case v.Still:
		return "still picture"
	case v.DecidedAt > 0:
		return fmt.Sprintf("%s after %.1f s", v.Verdict, v.DecidedAt)
	}
	return joined(append([]string{v.Verdict}, v.Reasons...)...)
}

// picture embeds a thumbnail; nothing that does not begin as a JPEG or PNG.
func picture(data []byte) template.URL {
	for kind, magic := range map[string]string{"image/jpeg": "\xff\xd8\xff", "image/png": "\x89PNG\r\n\x1a\n"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)) //nolint:gosec // a picture's bytes in base64
		}
	}
	return ""
}
