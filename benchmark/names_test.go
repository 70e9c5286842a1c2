package benchmark

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A further dataset is one file and a line in registry.go: no other file knows a
// dataset by name, and a dataset's file knows no other dataset.
func TestOnlyADatasetsOwnFileNamesIt(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	declared := map[string]string{} // file by dataset
	for _, path := range append(files, "../cmd/liveproof/protocol.go", "../cmd/liveproof/layout.go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		switch named := mentions(t, path, string(source), Known().Datasets()); {
		case path == "registry.go":
			require.Len(t, named, len(Known().Datasets()), "one line a dataset: %v", named)
		case strings.Contains(string(source), "() Dataset {\n"):
			for _, m := range named {
				require.Equal(t, named[0].dataset, m.dataset, "%s: %v", path, m)
			}
			declared[named[0].dataset] = path
		default:
			require.Empty(t, named)
		}
	}
	require.Len(t, declared, len(Known().Datasets()), "%v", declared)
}

func TestMentionsFindsNames(t *testing.T) {
	for source, want := range map[string]int{
		`package p; var a = "casia"`:                                      1,
		`package p; func checkOULULists() {}`:                             1,
		`package p; var replayAttack = 1`:                                 1,
		"package p\n// as MSU-MFSD has it\n":                              1,
		`package p; func f(n string) bool { return n == "replay" }`:       1,
		`package p; const Replay PAI = "replay"`:                          0,
		"package p\n// a print, a replay or a presentation attack\n":      0,
		`package p; import "x/replay"; var occasional, trimSuffix = 1, 2`: 0,
	} {
		require.Len(t, mentions(t, "p.go", source, Known().Datasets()), want, source)
	}
}

// words of camel case; capitals in a row belong to the word after them.
var words = regexp.MustCompile(`[A-Z]*[a-z]+|[A-Z]+`)

type mention struct {
	dataset string
	at      token.Position
}

// mentions lists where a file's identifiers, strings and comments name a dataset.
func mentions(t *testing.T, path, source string, datasets []*Dataset) (found []mention) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, source, parser.ParseComments)
	require.NoError(t, err)
	note := func(pos token.Pos, text string, whole bool) {
		for _, d := range datasets {
			if named(text, d, whole) {
				found = append(found, mention{d.Name, fset.Position(pos)})
			}
		}
	}
	for _, group := range file.Comments {
		note(group.Pos(), group.Text(), false)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.ValueSpec: // the species of that name, not the dataset
			if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "PAI" {
				return false
			}
		case *ast.Ident:
			note(n.Pos(), n.Name, false)
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil {
				note(n.Pos(), text, true)
			}
		}
		return true
	})
	return found
}

// named reports whether the text contains the dataset's title, or a word that
// begins with its name. A name that is a species' too counts only as a whole string literal.
func named(text string, d *Dataset, literal bool) bool {
	flat := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(text))
	title := strings.NewReplacer("-", "").Replace(strings.ToLower(d.Title))
	if strings.Contains(flat, title) {
		return true
	}
	if slices.Contains(PAIs(), PAI(d.Name)) {
		return literal && text == d.Name
	}
	return slices.ContainsFunc(words.FindAllString(text, -1), func(w string) bool { return strings.HasPrefix(strings.ToLower(w), d.Name) })
}
