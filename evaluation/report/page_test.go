package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation"
)

// void are the elements of HTML that have no end tag.
var void = regexp.MustCompile(`<(meta|img|br)\b([^>]*)>`)

// page writes the page and checks that every tag is closed, that nothing is loaded from elsewhere and that nothing runs.
func page(t testing.TB, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.HTML(&b))
	require.True(t, utf8.Valid(b.Bytes()))
	d := xml.NewDecoder(strings.NewReader(void.ReplaceAllString(b.String(), "<$1$2/>")))
	d.Entity = xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			checkElement(t, e)
		}
	}
	for _, loads := range []string{"url(", "@import"} {
		lacks(t, b.String(), loads)
	}
	lacks(t, b.String(), "ZgotmplZ") // a value that the template refused
	return b.String()
}

// shows and lacks look for words in a page without printing the whole page where it fails.
func shows(t testing.TB, page, want string) {
	t.Helper()
	if !strings.Contains(page, want) {
		t.Fatalf("the page lacks %q", want)
	}
}

func lacks(t testing.TB, page, unwanted string) {
	t.Helper()
	if strings.Contains(page, unwanted) {
		t.Fatalf("the page has %q", unwanted)
	}
}

func same(t testing.TB, what, a, b string) {
	t.Helper()
	if a != b {
		t.Fatalf("%s differs", what)
	}
}

func checkElement(t testing.TB, e xml.StartElement) {
	t.Helper()
	require.NotContains(t, []string{"script", "link", "iframe", "object", "embed", "foreignObject", "image", "use"}, e.Name.Local)
	for _, a := range e.Attr {
		require.False(t, strings.HasPrefix(strings.ToLower(a.Name.Local), "on"), "attribute %s", a.Name.Local)
		switch a.Name.Local {
		case "src":
			require.True(t, strings.HasPrefix(a.Value, "data:image/"), "src %.40s", a.Value)
		case "href":
			require.True(t, strings.HasPrefix(a.Value, "#"), "href %.40s", a.Value)
		}
	}
}

func TestPagesAreWellFormedAndSelfContained(t *testing.T) {
	for _, r := range fabricated() {
		text := page(t, r)
		shows(t, text, html.EscapeString(r.Title))
		for _, fault := range []string{"NaN", "%!", "&lt;nil&gt;", "Inf"} {
			lacks(t, text, fault)
		}
	}
}

// hostile are names that a file can have.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style></svg><b>`, "{{.}}", "a\xff\xfeb", "line\nbreak\x00", "\x1b[31mred",
	"\u202egnp.exe", strings.Repeat("very long ", 500), "&amp;", "]]>", "<!--", "$1",
}

func TestHostileNames(t *testing.T) {
	for _, name := range hostile {
		r := hostileReport(t, name, name)
		text := page(t, r)
		lacks(t, text, "<script")
		var b bytes.Buffer
		require.NoError(t, r.Text(&b))
		require.True(t, utf8.Valid(b.Bytes()))
		require.NotContains(t, b.String(), "\x1b")
		require.NotContains(t, b.String(), "\x00")
	}
}

// hostileReport has the name everywhere, and the species also in plots.
func hostileReport(t testing.TB, name, species string) *Report {
	f := fabricate(9, name)
	f.add(name, "", 6, 0.8)
	f.add(name, "x"+species, 4, 0.3)
	f.add(name, "print", 4, 0.3)
	f.plan.Protocol, f.plan.Population = name, name
	fold := evaluation.Fold{Name: name}
	for i := range f.results {
		p := &f.results[i].Presentation
		p.Subject, p.Meta, p.Instrument = name+p.Subject, map[string]string{name: name}, p.Instrument+name
		f.results[i].Error, f.results[i].Detector = name, name
		f.plan.Presentations[i] = *p
		fold.Eval = append(fold.Eval, p.Name)
	}
	f.plan.Folds = []evaluation.Fold{fold}
	about := f.about()
	about.By, about.Command, about.Version, about.ThresholdFrom, about.Model.Name = []string{name}, []string{name}, name, name, name
	r, err := Build(f.plan, f.results, about)
	require.NoError(t, err)
	return r
}

func FuzzNames(f *testing.F) {
	for _, name := range hostile {
		f.Add(name, "print")
	}
	f.Fuzz(func(t *testing.T, name, species string) {
		if len(name) < 200 && len(species) < 200 {
			page(t, hostileReport(t, name, species))
		}
	})
}

func TestReadsBack(t *testing.T) {
	for name, r := range fabricated() {
		dir := filepath.Join(t.TempDir(), name)
		require.NoError(t, r.Write(dir))
		file, err := os.Open(filepath.Join(dir, JSONName))
		require.NoError(t, err)
		defer file.Close()
		back, err := Read(file)
		require.NoError(t, err)
		same(t, "the page of what was read back", page(t, r), page(t, back))
		var again, first bytes.Buffer
		require.NoError(t, r.JSON(&first))
		require.NoError(t, back.JSON(&again))
		same(t, name, first.String(), again.String())
	}
}

func TestReadRefuses(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", `{"format":"another/1"}`, `{"format":"` + Format + `"}`} {
		_, err := Read(strings.NewReader(text))
		require.ErrorContains(t, err, "report.json", text)
	}
}

func FuzzRead(f *testing.F) {
	fab := own()
	r, err := Build(fab.plan, fab.results, fab.about())
	require.NoError(f, err)
	r.WorstAttacks, r.WorstBonaFide, r.Curves = nil, nil, nil // a small seed is changed more often
	seed, err := json.Marshal(r)
	require.NoError(f, err)
	f.Add(seed)
	f.Add([]byte(`{"format":"` + Format + `","folds":[{}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if r, err := Read(bytes.NewReader(data)); err == nil {
			_ = r.Text(io.Discard)
			_ = r.HTML(io.Discard)
		}
	})
}

// aPNG begins as one; that is all that is looked at.
const aPNG = "\x89PNG\r\n\x1a\nrest"

func TestPictures(t *testing.T) {
	f := own()
	about := f.about()
	asked := 0
	answer := aPNG
	about.Thumbnail = func(evaluation.Result) ([]byte, error) { asked++; return []byte(answer), nil }
	build := func() string {
		r, err := Build(f.plan, f.results, about)
		require.NoError(t, err)
		return page(t, r)
	}
	lacks(t, build(), "<img")
	require.Zero(t, asked, "without --pictures nobody's picture is read")
	about.Pictures = true
	shows(t, build(), `<img alt="" src="data:image/png;base64,`)
	require.Equal(t, 2*shown, asked)
	answer = "<svg onload=alert(1)>"
	lacks(t, build(), "<img") // only JPEG and PNG are shown
	about.Thumbnail = func(evaluation.Result) ([]byte, error) { return nil, errors.New("gone") }
	lacks(t, build(), "<img")
}
