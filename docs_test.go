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
		for _, target := range link.FindAllStringSubmatch(string(raw), -1) {
			if strings.Contains(target[1], "://") || strings.HasPrefix(target[1], "mailto:") {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(page), target[1]))
			require.NoError(t, err, "%s links to %s", page, target[1])
		}
	}
}
