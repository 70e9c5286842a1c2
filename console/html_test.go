package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/liveproof/liveproof"
)

// parsed are all nodes of a page, in their order.
func parsed(t *testing.T, body string) (nodes []*html.Node) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	require.NoError(t, err)
	for n := range root.Descendants() {
		nodes = append(nodes, n)
	}
	return nodes
}

// ours are the elements that the templates use; no image is among them.
var ours = strings.Fields(`html head meta title link script body header nav main section form label input select option button h1 h2 p a b span
	table caption thead tbody tr th td bdi code time ul li dl dt dd div svg line text rect path circle`)

// requireHarmless checks that a page has the templates' elements only, one script, which is the package's own, no event handler,
// no style, and no address outside the console.
func requireHarmless(t *testing.T, body string) {
	t.Helper()
	scripts := 0
	for _, n := range parsed(t, body) {
		if n.Type != html.ElementNode {
			continue
		}
		require.Contains(t, ours, n.Data)
		if n.Data == "script" {
			scripts++
			require.Nil(t, n.FirstChild)
		}
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "autofocus", "%s=%q", a.Key, a.Val)
			if a.Key == "href" || a.Key == "src" || a.Key == "action" {
				require.True(t, strings.HasPrefix(a.Val, "/console/"), "%s=%q", a.Key, a.Val)
			}
		}
	}
	require.Equal(t, 1, scripts)
}

// textOf is what a reader sees.
func textOf(t *testing.T, body string) string {
	var b strings.Builder
	for _, n := range parsed(t, body) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// listed are the ids of the sessions that a page lists.
func listed(t *testing.T, body string) []string {
	found := []string{}
	for _, n := range parsed(t, body) {
		if id, ok := strings.CutPrefix(attribute(n, "href"), "/console/sessions/"); ok {
			found = append(found, id)
		}
	}
	return found
}

// olderLink is the address of the next page, "" on the last.
func olderLink(t *testing.T, body string) string {
	for _, n := range parsed(t, body) {
		if href := attribute(n, "href"); strings.Contains(href, "after=") {
			return href
		}
	}
	return ""
}

func idsOf(sessions []liveproof.Session) []string {
	found := make([]string, len(sessions))
	for i, s := range sessions {
		found[i] = string(s.ID)
	}
	return found
}

// FuzzPages: no text of a client, whatever it is, becomes markup, and no query of a visitor breaks a page.
func FuzzPages(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, "q="+text, 0.5, 1.0)
	}
	f.Add("", "state=running&after=01ARZ3NDEKTSV4RRFFQ69G5FAV&tenant=default", -1.0, 1e300)
	f.Fuzz(func(t *testing.T, external, query string, rho, seconds float64) {
		r := &records{samples: map[liveproof.SessionID][]liveproof.Sample{}}
		s := r.add(time.Minute, func(s *liveproof.Session) { s.ExternalID = external })
		r.samples[s.ID] = []liveproof.Sample{
			{Seq: 1, Scored: true, Rho: rho, Weight: 1},
			{Seq: 2, T: time.Duration(seconds * 1e9), Scored: true, Rho: 1 - rho, Weight: rho, Reasons: []liveproof.Reason{liveproof.Reason(external)}},
		}
		p := newPage(t, r, nil)
		for path, raw := range map[string]string{"/console/": query, "/console/sessions/" + string(s.ID): ""} {
			w := p.query(path, raw)
			require.NotEqual(t, 500, w.Code)
			if w.Code != 303 {
				requireHarmless(t, w.Body.String())
			}
		}
	})
}

// query asks with a query that may be malformed.
func (p page) query(path, raw string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	r.URL.RawQuery = raw
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}
