package liveproof_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

var update = flag.Bool("update", false, "write the files that are made from the table of reasons")

// TestReasonTableIsWhole checks that the table has every constant of reason.go.
func TestReasonTableIsWhole(t *testing.T) {
	var table []liveproof.Reason
	for _, r := range liveproof.ReasonTable() {
		table = append(table, r.Code)
		require.Equal(t, r, r.Code.Info())
		require.NotEmpty(t, r.Kind, r.Code)
		require.NotEmpty(t, r.Fault, r.Code)
		require.True(t, r.End.Terminal(), r.Code)
		for _, sentence := range []string{r.Meaning, r.Advice} {
			require.Regexp(t, `^\p{Lu}.*\.$`, sentence, r.Code)
		}
		require.False(t, r.Doubt && r.Kind != liveproof.KindStream, "%s: only a stream can be in doubt", r.Code)
		require.False(t, r.Hint && r.Fault == liveproof.FaultServer, "%s: a person cannot mend the server", r.Code)
	}
	require.Equal(t, reasonConstants(t), table, "each constant has one row, in the same order")
}

func reasonConstants(t *testing.T) (codes []liveproof.Reason) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Reason" {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			codes = append(codes, liveproof.Reason(code))
		}
		return true
	})
	return codes
}

func TestUnknownReasonIsAFinding(t *testing.T) {
	future := liveproof.Reason("from_the_future")
	require.Equal(t, liveproof.StateDecided, future.EndState())
	require.False(t, future.Hint())
	require.False(t, future.Doubtful())
}

// TestReasonsEverywhere checks every file that is generated from the table: `go
// test . -run TestReasonsEverywhere -update` writes the files again.
func TestReasonsEverywhere(t *testing.T) {
	for _, made := range []struct {
		path, begin, end, content string // between two marks, or the whole file
	}{
		{"docs/reasons.md", "<!-- table -->\n", "<!-- end of table -->", reasonsMarkdown()},
		{"ingest/openapi.yaml", "          # reasons, made from reason.go\n", "          # end of reasons\n", reasonsYAML()},
		{"webclient/src/liveness/reasons.json", "", "", reasonsJSON(t)},
	} {
		t.Run(made.path, func(t *testing.T) {
			raw, err := os.ReadFile(made.path)
			require.NoError(t, err)
			want := made.content
			if made.begin != "" {
				head, rest, found := strings.Cut(string(raw), made.begin)
				require.True(t, found, "the file marks where the table begins: %q", made.begin)
				_, tail, found := strings.Cut(rest, made.end)
				require.True(t, found, "the file marks where the table ends: %q", made.end)
				want = head + made.begin + made.content + made.end + tail
			}
			if *update {
				require.NoError(t, os.WriteFile(made.path, []byte(want), 0o644))
				return
			}
			require.Equal(t, want, string(raw), "go test . -run TestReasonsEverywhere -update")
		})
	}
}

func reasonsMarkdown() string {
	var b strings.Builder
	b.WriteString("| code | about | hint | doubt | ends as | who can change it | meaning |\n|---|---|---|---|---|---|---|\n")
	yes := map[bool]string{true: "yes"}
	for _, r := range liveproof.ReasonTable() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n",
			r.Code, r.Kind, yes[r.Hint], yes[r.Doubt], r.End, r.Fault, r.Meaning)
	}
	return b.String()
}

func reasonsYAML() string {
	var b strings.Builder
	for _, r := range liveproof.ReasonTable() {
		fmt.Fprintf(&b, "          - %s\n", r.Code)
	}
	return b.String()
}

// reasonsJSON is the component's English: what the person is told of each reason.
func reasonsJSON(t *testing.T) string {
	t.Helper()
	advice := map[liveproof.Reason]string{}
	for _, r := range liveproof.ReasonTable() {
		advice[r.Code] = r.Advice
	}
	raw, err := json.MarshalIndent(advice, "", "  ")
	require.NoError(t, err)
	return string(raw) + "\n"
}
