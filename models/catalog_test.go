package models

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/liveproof/liveproof/configs"
)

const good = "models:\n- {name: net, kind: detector, file: net.onnx, sha256: \"" +
	"9f32f552ae4ccd0cbbfd8501acb6ea3186045863b66383eb0df17e0139c3024c\"}\n"

func TestParseRefusesBadCatalogues(t *testing.T) {
	cases := []struct{ name, data, want string }{
		{"empty", "", "EOF"},
		{"no models", "models: []", "it lists none"},
		{"unknown key", strings.Replace(good, "kind:", "sort: x, kind:", 1), "field sort not found"},
		{"bad kind", strings.Replace(good, "detector", "oracle", 1), `kind: "oracle"`},
		{"path as file", strings.Replace(good, "net.onnx", "../net.onnx", 1), `file: "../net.onnx"`},
		{"short hash", strings.Replace(good, "9f32f552", "", 1), "sha256:"},
		{"bad name", strings.Replace(good, "name: net", "name: Net/1", 1), `name: "Net/1"`},
		{"plain http", strings.Replace(good, "}", ", urls: ['http://x/y']}", 1), "urls:"},
		{"several faults", strings.NewReplacer("detector", "oracle", "net.onnx", "../net.onnx", "name: net", "name: Net/1").Replace(good),
			"name: \"Net/1\" is not made of a-z 0-9 . _ -\nkind: \"oracle\" is not one of detector, scorer, embedder\nfile: \"../net.onnx\" is not a base name"},
		{"twice", good + strings.TrimPrefix(good, "models:\n"), "listed twice"},
	}
	for _, c := range cases {
		if _, err := Parse([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Parse = %v, want %q in it", c.name, err, c.want)
		}
	}
	if _, err := Parse([]byte(good)); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(configs.Models())
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := Parse(data)
		if err != nil {
			return
		}
		for _, e := range entries {
			if filepath.Join("dir", e.File) != "dir"+string(filepath.Separator)+e.File || len(e.SHA256) != 64 {
				t.Fatalf("accepted %+v", e)
			}
		}
	})
}

func TestFindTakesTheFirstPlaceAndChecksTheHash(t *testing.T) {
	a, b, down := t.TempDir(), t.TempDir(), t.TempDir()
	c := newCatalog(t, catalogueOf("right", ""), Places{Dirs: []string{a, b}, Downloads: down})
	var missing *MissingError
	if _, err := c.Find("net"); !errors.As(err, &missing) || len(missing.Tried) != 3 ||
		!strings.Contains(err.Error(), "liveproof models pull net") {
		t.Fatalf("missing file: %v", err)
	}
	for _, dir := range []string{down, b, a} {
		want := write(t, "right", dir, "net.onnx")
		file, err := c.Find("net")
		if err != nil || file.Path != want || string(file.Data) != "right" || file.SHA256 != hashOf("right") {
			t.Fatalf("Find = %+v, %v; want %s", file, err, want)
		}
	}
	// A wrong file in front is refused, though a right one lies behind it.
	write(t, "wrong", a, "net.onnx")
	var hash *HashError
	_, err := c.Find("net")
	if !errors.As(err, &hash) || !errors.Is(err, ErrHash) || hash.Expected != hashOf("right") || hash.Found != hashOf("wrong") {
		t.Fatalf("wrong hash: %v", err)
	}
	if status := c.Verify()[0]; !errors.Is(status.Err, ErrHash) || status.Path == "" {
		t.Fatalf("Verify = %+v", status)
	}
	if _, err := c.Find("other"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "net") {
		t.Fatalf("unknown name: %v", err)
	}
}

func TestResolveReadsPathsAndPinsThem(t *testing.T) {
	path := write(t, "right", t.TempDir(), "own.onnx")
	c := newCatalog(t, catalogueOf("right", ""), Places{})
	file, err := c.Resolve(path, "")
	if err != nil || file.Name != "own" || file.SHA256 != hashOf("right") {
		t.Fatalf("Resolve = %+v, %v", file, err)
	}
	if _, err := c.Resolve(path, strings.ToUpper(hashOf("right"))); err != nil {
		t.Fatalf("pinned: %v", err)
	}
	if _, err := c.Resolve(path, hashOf("other")); !errors.Is(err, ErrHash) {
		t.Fatalf("wrong pin: %v", err)
	}
	if _, err := c.Resolve(path+"x.onnx", ""); !errors.Is(err, ErrMissing) {
		t.Fatalf("absent path: %v", err)
	}
	if _, err := c.Resolve("net", ""); !errors.Is(err, ErrMissing) {
		t.Fatalf("name: %v", err)
	}
}

func TestCatalogueFileReplacesTheBuiltIn(t *testing.T) {
	path := write(t, good, t.TempDir(), "own.yaml")
	c, err := New(Config{Catalog: path}, configs.Models(), Places{})
	if err != nil || len(c.Entries()) != 1 {
		t.Fatalf("New = %v, %v", c, err)
	}
	if _, err := New(Config{Catalog: path + ".absent"}, configs.Models(), Places{}); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("absent catalogue: %v", err)
	}
}

func TestDefaultPlacesFollowTheDocumentedOrder(t *testing.T) {
	t.Setenv(DirsEnv, "/first"+string(os.PathListSeparator)+"/second")
	t.Setenv(SharedEnv, "/elsewhere")
	places := DefaultPlaces()
	if places.Downloads != "/first" || places.Dirs[0] != "/first" || places.Dirs[1] != "/second" {
		t.Fatalf("places = %+v", places)
	}
	root := checkout()
	order := []string{"/second", filepath.Join(root, "models"), "/elsewhere/models"}
	at := -1
	for _, want := range order {
		found := -1
		for i, dir := range places.Dirs {
			if dir == want {
				found = i
			}
		}
		if found <= at {
			t.Fatalf("%s is not at its place in %v", want, places.Dirs)
		}
		at = found
	}
}

// A folder beside the checkout is searched only when the environment names it.
func TestDefaultPlacesGuessNoSharedFolder(t *testing.T) {
	t.Setenv(SharedEnv, "")
	for _, dir := range DefaultPlaces().Dirs {
		if strings.Contains(dir, "shared") {
			t.Errorf("%s is searched though %s is empty", dir, SharedEnv)
		}
	}
}
