package liveproof_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocumentedTestsExist: every test that docs/testing.md names is in the
// folder named before it.
func TestDocumentedTestsExist(t *testing.T) {
	raw, err := os.ReadFile("docs/testing.md")
	require.NoError(t, err)
	room, named := "", 0
	for _, word := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(string(raw), -1) {
		name := word[1]
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			room = name
		}
		if strings.HasPrefix(name, "Test") {
			named++
			require.True(t, hasTest(t, room, name), "%s has no test %s", room, name)
		}
	}
	require.Greater(t, named, 50, "the table was read")
}

func hasTest(t *testing.T, room, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(room, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(raw), "func "+name+"(") {
			return true
		}
	}
	return false
}

var code = regexp.MustCompile("(?s)```.*?\n```")

var link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)

// TestDocumentedFilesExist: every relative link of every page leads to a file.
func TestDocumentedFilesExist(t *testing.T) {
	out, err := exec.Command("git", "ls-files", "*.md").Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	for page := range strings.FieldsSeq(string(out)) {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, target := range link.FindAllStringSubmatch(code.ReplaceAllString(string(raw), ""), -1) {
			if strings.Contains(target[1], "://") || strings.HasPrefix(target[1], "mailto:") {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(page), target[1]))
			require.NoError(t, err, "%s links to %s", page, target[1])
		}
	}
}

// TestSizingIsComputed: the tables of docs/scale.md are those of its script; the simulated ones, which take a minute, are not made again.
func TestSizingIsComputed(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	out, err := exec.Command(python, "scripts/scale.py", "--check", "docs/scale.md").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

var quoted = regexp.MustCompile("(?s)<!-- (examples/\\S+) -->\n```\\w+\n(.*?\n)```\n")

// TestReadmeShowsLinesOfTheExamples: every block below the name of a file is lines of that file, whose tests therefore test the block.
func TestReadmeShowsLinesOfTheExamples(t *testing.T) {
	raw, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := quoted.FindAllStringSubmatch(string(raw), -1)
	require.Len(t, blocks, strings.Count(string(raw), "<!-- examples/"), "a name without a block")
	require.Len(t, blocks, 1+3*3, "the page; three backends: session, result, webhook")
	for _, block := range blocks {
		file, err := os.ReadFile(block[1])
		require.NoError(t, err)
		require.True(t, shows(string(file), block[2]), "README.md: this is not in %s:\n%s", block[1], block[2])
	}
}

// shows tells whether the lines are in the file, one after the other; the file may indent them.
func shows(file, lines string) bool {
	first, _, _ := strings.Cut(lines, "\n")
	for line := range strings.Lines(file) {
		indent, found := strings.CutSuffix(strings.TrimSuffix(line, "\n"), first)
		if found && strings.TrimSpace(indent) == "" && strings.Contains(file, indented(lines, indent)) {
			return true
		}
	}
	return false
}

func indented(lines, by string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		if line != "\n" {
			b.WriteString(by)
		}
		b.WriteString(line)
	}
	return b.String()
}

func TestShows(t *testing.T) {
	file := "a\n  b {\n\n    c\n  }\n"
	require.True(t, shows(file, "b {\n\n  c\n}\n"))
	for _, not := range []string{"b {\n  c\n}\n", "b {\n\n c\n}\n", "c {\n", "b\n"} {
		require.False(t, shows(file, not), not)
	}
}
