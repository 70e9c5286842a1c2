package liveproof_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/liveproof/liveproof"

// mayImport is the table of docs/architecture.md: a room may import itself,
// the rooms named here and its own sub-packages. cmd/liveproof may import everything.
var mayImport = map[string][]string{
	"":           {},
	"benchmark":  {""},
	"ingest/rtc": {""},
	"ingest":     {"", "ingest/rtc"},
	"media":      {""},
	"pipeline":   {"", "verdict"},
	"detector":   {"", "onnx"},
	"scorer":     {"", "onnx"},
	"onnx":       {""},
	"models":     {""},
	"verdict":    {""},
	"store":      {""},
	"webclient":  {},
	"configs":    {},
	"internal":   {""},
}

// foreign names libraries that only one room may touch.
var foreign = map[string][]string{
	"github.com/pion/":                    {"ingest", "ingest/rtc", "internal/codecs", "cmd/liveproof"},
	"github.com/asticode/go-astiav":       {"media"},
	"gocv.io/x/gocv":                      {"detector"},
	"github.com/yalue/onnxruntime_go":     {"onnx"},
	"github.com/redis/go-redis":           {"store", "store/redistest"},
	"github.com/gorilla/websocket":        {"ingest"},
	"github.com/prometheus/client_golang": nil, // anywhere
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// TestDependencyDirection holds the code's imports (tests aside) against the architecture.
func TestDependencyDirection(t *testing.T) {
	for _, p := range listPackages(t) {
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if strings.HasPrefix(room, "cmd/") || strings.HasPrefix(room, "scripts/") {
			continue
		}
		for _, imported := range p.Imports {
			require.True(t, allowed(room, imported), "%s must not import %s", p.ImportPath, imported)
		}
	}
}

func allowed(room, imported string) bool {
	if own, ok := strings.CutPrefix(imported, module); ok {
		own = strings.TrimPrefix(own, "/")
		return room == own || strings.HasPrefix(own, room+"/") && room != "" ||
			strings.HasPrefix(room, own+"/") && own != "" || strings.HasPrefix(own, "internal/") || slices.Contains(permits(room), own)
	}
	for prefix, rooms := range foreign {
		if strings.HasPrefix(imported, prefix) && rooms != nil {
			return slices.Contains(rooms, room)
		}
	}
	// The root holds domain types only: standard library, whose paths have no dot in the first element.
	first, _, _ := strings.Cut(imported, "/")
	return room != "" || !strings.Contains(first, ".")
}

// permits finds the room of a sub-package such as store/redistest.
func permits(room string) []string {
	for {
		if list, ok := mayImport[room]; ok {
			return list
		}
		i := strings.LastIndex(room, "/")
		if i < 0 {
			return nil
		}
		room = room[:i]
	}
}

func listPackages(t *testing.T) (packages []goPackage) {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	require.NoError(t, err)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestAllowedNamesTheForbidden(t *testing.T) {
	for _, c := range []struct {
		room, imported string
		want           bool
	}{
		{"pipeline", module + "/verdict", true},
		{"pipeline", module + "/store", false},
		{"pipeline", "github.com/pion/webrtc/v4", false},
		{"scorer", module + "/detector", false},
		{"scorer", "github.com/yalue/onnxruntime_go", false},
		{"", "github.com/stretchr/testify/require", false},
		{"", "time", true},
		{"store/redistest", module + "/store", true},
		{"ingest", module + "/ingest/rtc", true},
	} {
		require.Equal(t, c.want, allowed(c.room, c.imported), "%s → %s", c.room, c.imported)
	}
}
