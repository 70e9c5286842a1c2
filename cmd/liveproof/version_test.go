package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each place that states the version, and how: the first match of the expression.
var versionPlaces = map[string]string{
	"CHANGELOG.md":                            `(?m)^## \[(\d[^]]*)\]`,
	"ingest/openapi.yaml":                     `(?m)^  version: "(.+)"`,
	"webclient/package.json":                  `(?m)^  "version": "(.+)"`,
	"webclient/package-lock.json":             `(?m)^  "version": "(.+)"`,
	"deploy/helm/liveproof/Chart.yaml":        `(?m)^appVersion: (.+)$`,
	"training/liveproof_training/__init__.py": `(?m)^__version__ = "(.+)"`,
}

func readFromRoot(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(content)
}

func TestEveryPlaceStatesTheSameVersion(t *testing.T) {
	want := strings.TrimSpace(readFromRoot(t, "VERSION"))
	require.Regexp(t, `^\d+\.\d+\.\d+$`, want)
	for name, expression := range versionPlaces {
		found := regexp.MustCompile(expression).FindStringSubmatch(readFromRoot(t, name))
		require.NotNil(t, found, "%s states no version", name)
		require.Equal(t, want, found[1], name)
	}
}

func TestReleaseSaysWhatTheBuildKnows(t *testing.T) {
	checkout := []debug.BuildSetting{{Key: "vcs.revision", Value: "c0ffee"}, {Key: "vcs.modified", Value: "true"}}
	tests := map[string]struct {
		version, revision string
		info              debug.BuildInfo
		want              release
	}{
		"make build": {
			"0.2.0", "abc", debug.BuildInfo{GoVersion: "go1.26", Settings: checkout},
			release{"0.2.0", "abc", "go1.26"},
		},
		"go build in a changed checkout": {
			"development", "", debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: "v0.0.0-20260101-c0ffee"}, Settings: checkout},
			release{"development", "c0ffee+dirty", "go1.26"},
		},
		"go install of a version": {
			"development", "", debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: "v0.2.0", Sum: "h1:x"}},
			release{"0.2.0", "unknown", "go1.26"},
		},
		"no build information": {"development", "", debug.BuildInfo{}, release{"development", "unknown", "unknown"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, releaseOf(tt.version, tt.revision, &tt.info))
		})
	}
}

func TestVersionCommand(t *testing.T) {
	output := func(args ...string) string {
		var out bytes.Buffer
		root := newRootCommand()
		root.SetArgs(args)
		root.SetOut(&out)
		require.NoError(t, root.Execute())
		return out.String()
	}
	var told release
	require.NoError(t, json.Unmarshal([]byte(output("version", "--json")), &told))
	require.Equal(t, currentRelease(), told)
	require.Contains(t, output("version"), "revision  "+told.Revision)
	require.Equal(t, "liveproof version "+told.Version+"\n", output("--version"))
}
