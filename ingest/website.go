package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// website serves the built web client from memory.
type website struct{ files map[string]webFile }

type webFile struct {
	body []byte
	etag string
}

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Liveproof</title>
<h1>The web client is not built</h1><p>Run <code>make web</code> and start the server again.
The API works without it: <a href="/openapi.yaml">openapi.yaml</a>.</p></html>
`

const demoOff = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Liveproof</title>
<h1>Liveproof is running</h1><p>The demo is off: this server has a configuration, and gives sessions to backends with an API key only.
What they can ask is in <a href="/openapi.yaml">openapi.yaml</a>. Start it with <code>--dev</code> to try the demo.</p></html>
`

// newWebsite reads the files; without any the site says how to build it.
// Without the demo its pages would be buttons that cannot work; the component
// is served all the same.
func newWebsite(root fs.FS, demo bool) (*website, error) {
	w := &website{files: make(map[string]webFile)}
	if root != nil {
		if err := fs.WalkDir(root, ".", w.adder(root)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if !demo {
		delete(w.files, "playground.html")
		w.add("index.html", []byte(demoOff))
	} else if _, ok := w.files["index.html"]; !ok {
		w.add("index.html", []byte(notBuilt))
	}
	return w, nil
}

func (s *website) adder(root fs.FS) fs.WalkDirFunc {
	return func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		b, err := fs.ReadFile(root, name)
		s.add(name, b)
		return err
	}
}

func (s *website) add(name string, body []byte) {
	sum := sha256.Sum256(body)
	s.files[name] = webFile{body: body, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// serve answers a file, the page itself for a path that looks like a page, or 404.
func (s *website) serve(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	f, ok := s.files[name]
	if !ok && path.Ext(name) == "" {
		name = "index.html"
		f, ok = s.files[name]
	}
	if !ok {
		return problem(CodeNotFound, "no such resource")
	}
	h := w.Header()
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") { // named by their content
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.HasSuffix(name, ".html") {
		pagePolicy(h, r.Host)
	} else {
		embeddable(h)
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.body))
	return nil
}

// embeddable lets pages of every origin load a file: the component is a module
// script, which browsers fetch in CORS mode. The files are the same for
// everyone, and what the component may do is decided where it connects.
func embeddable(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// pagePolicy lets the page run its own scripts, its component's styles, its
// camera preview and its signalling, and nothing else.
func pagePolicy(h http.Header, host string) {
	sockets := ""
	if !strings.ContainsAny(host, " ;,'\"") { // Safari before 15.4 does not take 'self' for WebSockets
		sockets = fmt.Sprintf(" ws://%s wss://%s", host, host)
	}
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "+
		"img-src 'self' data: blob:; media-src 'self' blob: mediastream:; font-src 'self'; manifest-src 'self'; "+
		"connect-src 'self'"+sockets+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), payment=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
