package webclient

import (
	"io/fs"
	"strings"
	"testing"
)

func TestFSHoldsThePageOrOnlyItsPlaceholder(t *testing.T) {
	names, err := fs.Glob(FS(), "*")
	if err != nil {
		t.Fatal(err)
	}
	if !Built() {
		t.Skip("webclient/dist is not built: run `npm ci && npm run build` in webclient")
	}
	page, err := fs.ReadFile(FS(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "<liveness-check") {
		t.Errorf("index.html holds no <liveness-check> element; embedded: %v", names)
	}
	if _, err := fs.Stat(FS(), "liveness-status.js"); err != nil {
		t.Errorf("%v; embedded: %v", err, names)
	}
	if _, err := fs.Stat(FS(), "liveness-check.js"); err != nil {
		t.Errorf("the component alone is not embedded: %v", err)
	}
}
