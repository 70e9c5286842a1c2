package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/liveproof/liveproof/configs"
	"go.yaml.in/yaml/v3"
)

// After an export: go test ./models -run CatalogueEqualsCommittedFiles -update
var update = flag.Bool("update", false, "write the committed files' SHA-256 and size into configs/models.yaml, new files too")

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
			t.Errorf("%s has SHA-256 %s and %d bytes, the catalogue says %q and %d (run this test with -update)",
				path, sum, size, e.SHA256, e.Size)
		}
	}
	for _, e := range entries {
		if _, err := os.Stat(e.File); e.Kind == KindScorer && err != nil {
			t.Errorf("%s is listed and not committed: %v", e.Name, err)
		}
	}
}

// manifest.json tells people what the committed files are.
func TestManifestEqualsCommittedFiles(t *testing.T) {
	listed := map[string]manifestEntry{}
	for _, e := range readManifest(t) {
		listed[e.File] = e
	}
	for _, path := range committed(t) {
		sum, size := measure(t, path)
		e := listed[path]
		if e.SHA256 != sum || e.Bytes != size {
			t.Errorf("%s has SHA-256 %s and %d bytes, manifest.json says %q and %d (run: the trainer's golden command)",
				path, sum, size, e.SHA256, e.Bytes)
		}
		if want := e.Metadata["liveproof.name"] + "-" + e.Metadata["liveproof.precision"] + ".onnx"; want != path {
			t.Errorf("%s says in its metadata that it is %s", path, want)
		}
		delete(listed, path)
	}
	for file := range listed {
		t.Errorf("manifest.json lists %s, which is not committed", file)
	}
}

type manifestEntry struct {
	File     string            `json:"file"`
	SHA256   string            `json:"sha256"`
	Bytes    int64             `json:"bytes"`
	Metadata map[string]string `json:"metadata"`
}

func readManifest(t *testing.T) []manifestEntry {
	t.Helper()
	data, err := os.ReadFile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Models []manifestEntry `json:"models"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Models
}

func TestUpdateAddsAnEntry(t *testing.T) {
	before, err := os.ReadFile(cataloguePath)
	if err != nil {
		t.Fatal(err)
	}
	after := withEntries(t, before, map[string]measured{"net-int8.onnx": {hashOf("net"), 3}})
	entries, err := Parse(after)
	if err != nil {
		t.Fatal(err)
	}
	last := entries[len(entries)-1]
	if last.Name != "net-int8" || last.Kind != KindScorer || last.File != "net-int8.onnx" || last.SHA256 != hashOf("net") || last.Size != 3 {
		t.Errorf("the new entry is %+v", last)
	}
	if !strings.HasPrefix(string(after), strings.TrimRight(string(before), "\n")) {
		t.Error("the entries before it changed")
	}
	if again := withEntries(t, after, map[string]measured{"net-int8.onnx": {hashOf("net2"), 4}}); !strings.Contains(string(again), hashOf("net2")) ||
		strings.Count(string(again), "net-int8.onnx") != 1 {
		t.Error("a second update did not change the entry in its place")
	}
}

func TestBuiltInCatalogueIsValid(t *testing.T) {
	if _, err := Parse(configs.Models()); err != nil {
		t.Fatal(err)
	}
}

// The file that the project was measured with, where $LIVEPROOF_SHARED has it.
func TestSharedDetectorHasTheListedHash(t *testing.T) {
	c := newCatalog(t, configs.Models(), Places{Dirs: sharedDirs()})
	path, tried := c.locate(mustLookup(t, c, "retinaface-mobilenet025"))
	if path == "" {
		t.Skipf("RetinaFace is not at %v: LIVEPROOF_SHARED names the folder with models/", tried)
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

// updateCatalogue rewrites the sha256 and size of every committed file's entry, adds those that
// are new, and leaves everything else, comments too, as it is.
func updateCatalogue(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(cataloguePath)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]measured{}
	for _, path := range committed(t) {
		sum, size := measure(t, path)
		files[filepath.Base(path)] = measured{sum, size}
	}
	if err := os.WriteFile(cataloguePath, withEntries(t, data, files), 0o644); err != nil {
		t.Fatal(err)
	}
}

type measured struct {
	sum  string
	size int64
}

const newEntry = `
  - name: %s
    kind: scorer
    file: %s
    sha256: %q
    size: %d
    licence: Apache-2.0
    source: training/ of this repository
    note: Demo weights, trained on rendered attacks, not on licensed benchmark data.
`

func withEntries(t *testing.T, catalogue []byte, files map[string]measured) []byte {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(catalogue, &document); err != nil {
		t.Fatal(err)
	}
	lines, added := strings.Split(strings.TrimRight(string(catalogue), "\n"), "\n"), ""
	for _, file := range slices.Sorted(maps.Keys(files)) {
		m := files[file]
		entry := entryNode(&document, file)
		if entry == nil {
			added += fmt.Sprintf(newEntry, strings.TrimSuffix(file, ".onnx"), file, m.sum, m.size)
			continue
		}
		setLine(lines, entry, "sha256", fmt.Sprintf("%q", m.sum))
		setLine(lines, entry, "size", fmt.Sprint(m.size))
	}
	return []byte(strings.Join(lines, "\n") + "\n" + added)
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
