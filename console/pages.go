package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/liveproof/liveproof"
)

//go:embed page
var pageFiles embed.FS

// frame is what every page is made of.
type frame struct {
	Title   string
	Visitor *scope // nil: the login and pages about errors, which have no menu
	// Live: the script asks for the page again every few seconds.
	Live    bool
	Content any
}

// pages are the templates by the name of their page, each with the frame around it.
var pages = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range []string{"list", "session", "server", "login", "fault"} {
		all[name] = template.Must(template.New("frame.tmpl").Funcs(words).ParseFS(pageFiles, "page/frame.tmpl", "page/"+name+".tmpl"))
	}
	return all
}()

// words are what the templates call.
var words = template.FuncMap{
	"path":    func() string { return Path },
	"score":   func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) },
	"seconds": seconds,
	"stamp":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"meaning": func(r liveproof.Reason) string { return r.Info().Meaning },
	"short":   shortHash,
}

// render writes a page, or nothing after an error.
func render(w http.ResponseWriter, status int, name string, f frame) error {
	var b bytes.Buffer
	if err := pages[name].Execute(&b, f); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the visitor has left, and nobody is to be told
	return nil
}

// file serves one of the package's own files.
func (c *console) file(name, kind string) http.HandlerFunc {
	body, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body)
	}
}

// age is how long ago something was, in its largest unit.
func age(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) }

// shortHash is enough of a hash to compare it by eye.
func shortHash(hash string) string { return hash[:min(12, len(hash))] }

// amount writes a number as people read it; NaN, which is not known yet, is a dash.
func amount(v float64, unit string) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case v >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64) + unit
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 1, 64) + unit
	}
	return strconv.FormatFloat(v, 'g', 2, 64) + unit
}
