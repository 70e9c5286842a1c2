package models

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serve answers every path with handler over TLS and returns a catalogue whose
// model "net" (content "right") is there.
func serve(t *testing.T, handler http.HandlerFunc) (*Catalog, string) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	down := t.TempDir()
	c := newCatalog(t, catalogueOf("right", ", urls: ['"+server.URL+"/net.onnx']"), Places{Downloads: down})
	c.client.Transport = server.Client().Transport
	return c, down
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func TestPullKeepsOnlyTheRightBytes(t *testing.T) {
	c, down := serve(t, answer("right"))
	var done, total int64
	path, err := c.Pull(t.Context(), "net", func(d, n int64) { done, total = d, n })
	if err != nil || path != filepath.Join(down, "net.onnx") || done != 5 || total != 5 {
		t.Fatalf("Pull = %q, %v with progress %d/%d", path, err, done, total)
	}
	if file, err := c.Find("net"); err != nil || string(file.Data) != "right" {
		t.Fatalf("Find after Pull = %+v, %v", file, err)
	}
}

func TestPullRefuses(t *testing.T) {
	cases := map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"other bytes": {answer("wrong"), "has SHA-256 " + hashOf("wrong")},
		"too many":    {answer("right and more"), "larger than 5 bytes"},
		"not found":   {http.NotFound, "404"},
		"plain http": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.org/", http.StatusFound)
		}, "not an https address"},
		"cut off early": {cutOff, "EOF"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			c, down := serve(t, test.handler)
			_, err := c.Pull(t.Context(), "net", nil)
			if !errors.Is(err, ErrDownload) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Pull = %v, want %q in it", err, test.want)
			}
			if left, _ := os.ReadDir(down); len(left) != 0 {
				t.Fatalf("left behind: %v", left)
			}
		})
	}
}

// cutOff promises five bytes and sends two.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "5")
	_, _ = w.Write([]byte("ri"))
	panic(http.ErrAbortHandler)
}

func TestPullStopsWithItsContext(t *testing.T) {
	c, _ := serve(t, answer("right"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Pull(ctx, "net", nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("Pull = %v", err)
	}
}

func TestPullLeavesTheOperatorsFileAlone(t *testing.T) {
	c, down := serve(t, answer("right"))
	path := write(t, "mine", down, "net.onnx")
	if _, err := c.Pull(t.Context(), "net", nil); !errors.Is(err, ErrHash) {
		t.Fatalf("Pull = %v, want ErrHash", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "mine" {
		t.Fatalf("the file was overwritten with %q", data)
	}
}

func TestPullWithoutAddressSaysWhatToDo(t *testing.T) {
	server := httptest.NewTLSServer(answer("right"))
	defer server.Close()
	c := newCatalog(t, catalogueOf("right", ", url_env: LIVEPROOF_NET_URL"), Places{Downloads: t.TempDir()})
	c.client.Transport = server.Client().Transport
	_, err := c.Pull(t.Context(), "net", nil)
	if !errors.Is(err, ErrDownload) || !strings.Contains(err.Error(), "set LIVEPROOF_NET_URL") || !strings.Contains(err.Error(), DirsEnv) {
		t.Fatalf("Pull = %v", err)
	}
	t.Setenv("LIVEPROOF_NET_URL", "http://example.org/net.onnx")
	if _, err := c.Pull(t.Context(), "net", nil); !errors.Is(err, ErrDownload) || !strings.Contains(err.Error(), "https") {
		t.Fatalf("plain http: %v", err)
	}
	t.Setenv("LIVEPROOF_NET_URL", server.URL)
	if _, err := c.Pull(t.Context(), "net", nil); err != nil {
		t.Fatalf("with the address: %v", err)
	}
}
