package scorer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// The parts depend on each other in one direction: runner → queue → item → models. Only
// Batcher uses all of them. A file must not name the types of a part that it must not use.
func TestPartsDependInOneDirection(t *testing.T) {
	upper := []string{"Batcher", "Pinned", "runner", "batch", "queue", "backlog", "fairQueue", "item"}
	mustNotName := map[string][]string{
		"runner.go":   {"Batcher", "Pinned", "models", "modelSet"},
		"attempt.go":  {"Batcher", "Pinned", "models", "modelSet"},
		"queue.go":    {"Batcher", "Pinned", "models", "modelSet", "runner", "batch"},
		"fair.go":     {"Batcher", "Pinned", "models", "modelSet", "runner", "batch", "queue", "item"},
		"policy.go":   {"Batcher", "Pinned", "models", "modelSet", "runner", "batch", "queue", "item", "fairQueue"},
		"item.go":     {"Batcher", "Pinned", "models", "modelSet", "runner", "batch", "queue"},
		"models.go":   upper,
		"modelset.go": upper,
		"loaded.go":   upper,
		"health.go":   append(upper, "models", "modelSet", "loaded"),
	}
	for file, names := range mustNotName {
		for _, name := range typesNamed(t, file) {
			if slices.Contains(names, name) {
				t.Errorf("%s names %s", file, name)
			}
		}
	}
}

// typesNamed returns the identifiers in the places of types: in declarations,
// signatures and composite literals.
func typesNamed(t *testing.T, file string) (names []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	collect := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			names = append(names, inType(n.Type)...)
		case *ast.CompositeLit:
			names = append(names, inType(n.Type)...)
		case *ast.ValueSpec:
			names = append(names, inType(n.Type)...)
		}
		return true
	}
	ast.Inspect(parsed, collect)
	return names
}

func inType(expr ast.Expr) (names []string) {
	if expr == nil {
		return nil
	}
	ast.Inspect(expr, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
		return true
	})
	return names
}
