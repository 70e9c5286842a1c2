package report

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/liveproof/liveproof/evaluation"
)

// Published are figures of the literature for the plan's protocol, to stand beside those of the report. All are in per cent, as printed.
type Published struct {
	// Protocol is its name in the literature.
	Protocol string `json:"protocol"`
	// Rows of a leave-one-out setting have HTER and AUC, those of OULU-NPU's own protocols ACER.
	Rows []PublishedRow `json:"rows"`
}

// PublishedRow is one method's.
type PublishedRow struct {
	Method   string `json:"method"`
	Year     int    `json:"year,omitempty"`
	Backbone string `json:"backbone,omitempty"`
	// Threshold is the rule by which it was chosen; Population is the set of videos, empty where it is not known.
	Threshold  Rule             `json:"threshold"`
	Population string           `json:"population,omitempty"`
	Figures    PublishedFigures `json:"figures"`
}

// PublishedFigures are in per cent; what was not published is absent.
type PublishedFigures struct {
	HTER *float64 `json:"hter,omitempty"`
	AUC  *float64 `json:"auc,omitempty"`
	ACER *float64 `json:"acer,omitempty"`
	// Std is of ACER over the folds; which deviation the literature does not say.
	Std *float64 `json:"std,omitempty"`
}

// literature is published.json.
type literature struct {
	Note         string            `json:"note"`
	Protocols    map[string]string `json:"protocols"`
	Cross, Intra []literatureRow
}

type literatureRow struct {
	Method     string                      `json:"method"`
	Year       int                         `json:"year,omitempty"`
	Backbone   string                      `json:"backbone"`
	Threshold  Rule                        `json:"threshold"`
	Population string                      `json:"population"`
	Figures    map[string]PublishedFigures `json:"figures"`
}

//go:embed published.json
var publishedJSON []byte

var known = sync.OnceValue(func() (l literature) {
	if err := json.Unmarshal(publishedJSON, &l); err != nil {
		panic(err) // a test reads it
	}
	return l
})

// published finds the plan's protocol; nil for a person's own files, and for a protocol without published figures.
func published(plan evaluation.Plan) *Published {
	name := plan.Protocol
	title, ok := known().Protocols[name]
	if !ok { // a fold such as oulu-3.4 stands beside its protocol
		name, _, _ = strings.Cut(name, ".")
		title, ok = known().Protocols[name]
	}
	if !ok {
		return nil
	}
	p := &Published{Protocol: title}
	for _, row := range slices.Concat(known().Cross, known().Intra) {
		if figures, ok := row.Figures[name]; ok {
			p.Rows = append(p.Rows, PublishedRow{row.Method, row.Year, row.Backbone, ruleOr(row.Threshold), row.Population, figures})
		}
	}
	return p
}

// ruleOr is OULU-NPU's own rule where a row does not name one: its protocols have a development set.
func ruleOr(rule Rule) Rule {
	if rule == "" {
		return RuleRealistic
	}
	return rule
}
