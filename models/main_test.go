package models

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func hashOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

func write(t *testing.T, data string, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// catalogueOf lists one detector "net" in net.onnx whose content is data.
func catalogueOf(data, more string) []byte {
	return fmt.Appendf(nil, "models:\n- {name: net, kind: detector, file: net.onnx, sha256: %q, size: %d%s}\n",
		hashOf(data), len(data), more)
}

func newCatalog(t *testing.T, builtin []byte, places Places) *Catalog {
	t.Helper()
	c, err := New(DefaultConfig(), builtin, places)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
