package models

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/liveproof/liveproof/configs"
	"go.yaml.in/yaml/v3"
)

// After an export: go test ./models -run CatalogueEqualsCommittedFiles -update
var update = flag.Bool("update", false, "write the committed files' SHA-256 and size into configs/models.yaml")

const cataloguePath = "../configs/models.yaml"

func TestCatalogueEqualsCommittedFiles(t *testing.T) {
	if *update {
		updateCatalogue(t)
	}
	data, err := os.ReadFile(cataloguePath)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	byFile := map[string]Entry{}
	for _, e := range entries {
		byFile[e.File] = e
	}
	for _, path := range committed(t) {
		sum, size := measure(t, path)
		e, listed := byFile[filepath.Base(path)]
		if !listed || e.SHA256 != sum || e.Size != size {
			t.Errorf("%s has SHA-256 %s and %d bytes, the catalogue says %q and %d (mend: -update)",
				path, sum, size, e.SHA256, e.Size)
		}
	}
	for _, e := range entries {
		if _, err := os.Stat(e.File); e.Kind == KindScorer && err != nil {
			t.Errorf("%s is listed and not committed: %v", e.Name, err)
		}
	}
}

func TestBuiltInCatalogueIsValid(t *testing.T) {
	if _, err := Parse(configs.Models()); err != nil {
		t.Fatal(err)
	}
}

// The file that the project was measured with, where it lies beside the checkout.
func TestSharedDetectorHasTheListedHash(t *testing.T) {
	c := newCatalog(t, configs.Models(), Places{Dirs: sharedDirs(checkout())})
	path, looked := c.locate(mustLookup(t, c, "retinaface-mobilenet025"))
	if path == "" {
		t.Skipf("RetinaFace is in none of %v", looked)
	}
	if _, err := c.Find("retinaface-mobilenet025"); err != nil {
		t.Fatal(err)
	}
}

func mustLookup(t *testing.T, c *Catalog, name string) Entry {
	t.Helper()
	e, err := c.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func committed(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("*.onnx")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(paths, func(p string) bool { return strings.HasSuffix(p, "-fp32.onnx") }) // git ignores those
}

func measure(t *testing.T, path string) (sum string, size int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:]), int64(len(data))
}

// updateCatalogue rewrites the sha256 and size of every committed file's entry
// and leaves everything else, comments too, as it is.
func updateCatalogue(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(cataloguePath)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	for _, path := range committed(t) {
		sum, size := measure(t, path)
		entry := entryNode(&document, filepath.Base(path))
		if entry == nil {
			t.Errorf("%s has no entry in the catalogue", path)
			continue
		}
		setLine(lines, entry, "sha256", fmt.Sprintf("%q", sum))
		setLine(lines, entry, "size", fmt.Sprint(size))
	}
	if err := os.WriteFile(cataloguePath, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

func entryNode(document *yaml.Node, file string) *yaml.Node {
	for _, entry := range valueOf(document.Content[0], "models").Content {
		if valueOf(entry, "file").Value == file {
			return entry
		}
	}
	return nil
}

func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return &yaml.Node{}
}

// setLine replaces a plain one-line value.
func setLine(lines []string, mapping *yaml.Node, key, value string) {
	node := valueOf(mapping, key)
	line := &lines[node.Line-1]
	*line = (*line)[:node.Column-1] + value
}
