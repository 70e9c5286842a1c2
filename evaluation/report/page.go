package report

import (
	"embed"
	"html/template"
	"io"
	"maps"
	"strings"
	"sync"
)

//go:embed page
var pageFiles embed.FS

// pageTemplate is parsed when the first page is written.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.tmpl").Funcs(pageFuncs()).ParseFS(pageFiles, "page/*.tmpl"))
})

// HTML writes the page: one file without scripts that needs no other.
func (r *Report) HTML(w io.Writer) error { return pageTemplate().Execute(w, r) }

// pageFuncs are what the templates call.
func pageFuncs() template.FuncMap {
	all := template.FuncMap{"style": style}
	for _, part := range []template.FuncMap{numberFuncs, wordFuncs, tableFuncs, plotFuncs} {
		maps.Copy(all, part)
	}
	return all
}

func style() (template.CSS, error) {
	text, err := pageFiles.ReadFile("page/style.css")
	return template.CSS(text), err //nolint:gosec // the program's own file
}

// species are the names of the attacks' species, which decide their colours.
func (r *Report) species() map[string]look {
	names := make([]string, len(r.Species))
	for i, s := range r.Species {
		names[i] = s.Name
	}
	return looks(names)
}

// mainRule is the threshold at which groups and timelines are shown: the model's, or the realistic one where there is none.
func (r *Report) mainRule() (Rule, *float64) {
	for _, rule := range []Rule{RuleModel, RuleRealistic, RuleIdealised} {
		if a := r.Folds[0].at(rule); a.Threshold != nil && (rule == RuleModel || len(r.Folds) == 1) {
			return rule, a.Threshold
		}
	}
	return "", nil
}

func joined(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " · ")
}
