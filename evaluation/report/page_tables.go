package report

import (
	"fmt"
	"html/template"
)

// tableFuncs choose what tables show.
var tableFuncs = template.FuncMap{
	"tiles":         tiles,
	"tilesNote":     tilesNote,
	"rules":         func() []Rule { return []Rule{RuleModel, RuleRealistic, RuleIdealised} },
	"spreadFigures": func() []spreadFigure { return spreadFigures },
	"over":          func(r *Report, rule Rule, figure string) *Spread { return r.over(rule, figure) },
	"crossed":       func(p *Published) bool { return len(p.Rows) > 0 && p.Rows[0].Figures.HTER != nil },
	"ours":          ours,
	"row":           func(p PublishedRow, crossed bool) printedRow { return printedRow{p, crossed} },
	"attacks":       attackTable,
	"rehearsed":     func(kind string, rows []RehearsalRow) rehearsalView { return rehearsalView{kind, rows} },
	"mainRule":      func(r *Report) string { rule, _ := r.mainRule(); return ruleAdjective[rule] },
	"mainRates":     func(r *Report, g Group) GroupRates { rule, _ := r.mainRule(); return g.At[rule] },
	"few":           func(g []Group) []Group { return g[:min(len(g), most)] },
	"more":          func(g []Group) int { return max(len(g)-most, 0) },
	"fewFailures":   func(f []Failure) []Failure { return f[:min(len(f), most)] },
	"moreFailures":  func(f []Failure) int { return max(len(f)-most, 0) },
}

// most is how many rows a table of the page has.
const most = 60

var ruleAdjective = map[Rule]string{RuleModel: "model’s", RuleRealistic: "realistic", RuleIdealised: "idealised"}

// tile is a figure at the head of the page.
type tile struct {
	Label, Value string
	Notes        []string
}

// tiles are the most important figures: at the main threshold with one fold, else the means at the realistic one.
func tiles(r *Report) (list []tile) {
	if len(r.Folds) > 1 {
		return foldTiles(r)
	}
	rule, _ := r.mainRule()
	a := r.Folds[0].at(rule)
	if a.APCER != nil {
		list = append(list, tile{"APCER", percent(a.APCER.Value), []string{interval(a.APCER.Low, a.APCER.High), "worst: " + short(a.APCER.Name)}})
	}
	if a.BPCER != nil {
		list = append(list, tile{"BPCER", percent(a.BPCER.Value), []string{interval(a.BPCER.Low, a.BPCER.High), fmt.Sprintf("%d of %d", a.BPCER.Count, a.BPCER.Of)}})
	}
	list = append(list, estimateTile("ACER", a.ACER, "mean of the two")...)
	list = append(list, estimateTile("EER", r.Folds[0].EER, "")...)
	list = append(list, estimateTile("AUC", r.Folds[0].AUC, "")...)
	return append(list, verdictTiles(r.Verdicts)...)
}

// tilesNote says what the tiles are.
func tilesNote(r *Report) string {
	if len(r.Folds) > 1 {
		return fmt.Sprintf("Means over %d folds at the %s threshold; below each the standard deviation (n − 1).", len(r.Folds), ruleAdjective[foldRule(r)])
	}
	rule, t := r.mainRule()
	if t == nil {
		return "Below each figure stands its 95 % interval."
	}
	free := ""
	if r.Folds[0].AUC != nil {
		free = " (EER and AUC need none)"
	}
	return fmt.Sprintf("At the %s threshold, %s%s. Below each figure stands its 95 %% interval.", ruleAdjective[rule], shownThreshold(t), free)
}

// foldRule is the threshold of the tiles over several folds.
func foldRule(r *Report) Rule {
	if r.over(RuleRealistic, "bpcer") == nil && r.over(RuleRealistic, "apcer") == nil {
		return RuleModel
	}
	return RuleRealistic
}

func estimateTile(label string, e *Estimate, note string) []tile {
	if e == nil {
		return nil
	}
	t := tile{Label: label, Value: percent(e.Value)}
	if e.Low != nil {
		t.Notes = append(t.Notes, interval(*e.Low, *e.High))
	}
	if note != "" {
		t.Notes = append(t.Notes, note)
	}
	return []tile{t}
}

// verdictTiles shows how often there was no decision.
func verdictTiles(v *Verdicts) []tile {
	if v == nil {
		return nil
	}
	none, all := 0, 0
	for _, row := range []*VerdictRow{v.BonaFide, v.Attacks} {
		if row != nil {
			none, all = none+row.Inconclusive.Count, all+row.Videos
		}
	}
	return []tile{{"Inconclusive", percent(float64(none) / float64(all)), []string{fmt.Sprintf("%d of %s", none, number(all, "video"))}}}
}

func foldTiles(r *Report) (list []tile) {
	rule := foldRule(r)
	for _, f := range spreadFigures[:5] {
		if s := r.over(rule, f.Figure); s != nil && f.Figure != "apcer_pooled" {
			list = append(list, tile{f.Label, percent(s.Mean), []string{"± " + percent(s.Std1), f.Note}})
		}
	}
	return append(list, verdictTiles(r.Verdicts)...)
}

type spreadFigure struct{ Figure, Label, Note string }

var spreadFigures = []spreadFigure{
	{"hter", "HTER", ""}, {"apcer", "APCER", "worst species"}, {"apcer_pooled", "APCER", "all attacks"},
	{"bpcer", "BPCER", ""}, {"acer", "ACER", "worst species"}, {"acer_pooled", "ACER", "all attacks"},
}

// printedRow is a row of the table of published figures.
type printedRow struct {
	PublishedRow
	Crossed bool
}

// ours are this report's figures in the form of the published ones.
func ours(r *Report) (rows []PublishedRow) {
	for _, rule := range []Rule{RuleIdealised, RuleRealistic, RuleModel} {
		row := PublishedRow{Backbone: r.About.Model.Name, Threshold: rule, Population: r.Population}
		if len(r.Folds) == 1 {
			a := r.Folds[0].at(rule)
			row.Figures = PublishedFigures{HTER: hundredfold(a.HTER.value()), AUC: hundredfold(r.Folds[0].AUC.value()), ACER: hundredfold(a.ACER.value())}
		} else {
			row.Figures = PublishedFigures{HTER: meanOf(r.over(rule, "hter")), AUC: meanOf(r.over("", "auc")), ACER: meanOf(r.over(rule, "acer"))}
			if s := r.over(rule, "acer"); s != nil {
				row.Figures.Std = hundredfold(&s.Std1)
			}
		}
		if row.Figures.HTER != nil {
			rows = append(rows, row)
		}
	}
	return rows
}

func hundredfold(v *float64) *float64 {
	if v == nil {
		return nil
	}
	p := 100 * *v
	return &p
}

func meanOf(s *Spread) *float64 {
	if s == nil {
		return nil
	}
	return hundredfold(&s.Mean)
}

type rehearsalView struct {
	Kind string
	Rows []RehearsalRow
}

type attackView struct {
	Kind  string
	Rules []Rule
	Rows  []AttackRow
}

func attackTable(_ *Report, rows []AttackRow, kind string) attackView {
	v := attackView{Kind: kind, Rows: rows}
	for _, rule := range []Rule{RuleModel, RuleRealistic, RuleIdealised} {
		if _, ok := rows[0].APCER[rule]; ok {
			v.Rules = append(v.Rules, rule)
		}
	}
	return v
}
