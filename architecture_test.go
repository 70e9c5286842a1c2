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

// mayImport is the table of docs/architecture.md. A room (a folder with one
// task) may import itself, the rooms named here, its own sub-packages and
// parents, and internal/. A room that is not named may import none of this
// module's packages.
var mayImport = map[string][]string{
	"":                      {},
	"benchmark":             {""},
	"ingest/rtc":            {""},
	"ingest/live":           {"", "ingest/rtc"},
	"ingest":                {"", "ingest/live", "ingest/rtc"},
	"ingest/livekit":        {"", "ingest/live", "ingest/rtc"},
	"media":                 {""},
	"pipeline":              {"", "verdict"},
	"detector":              {"", "onnx"},
	"scorer":                {"", "models/golden", "onnx"},
	"identity":              {"", "onnx"},
	"motion":                {""},
	"onnx":                  {""},
	"models":                {""},
	"models/golden":         {},
	"verdict":               {""},
	"calibration":           {""},
	"challenge":             {""},
	"injection":             {""},
	"evaluation/calibrate":  {"", "calibration", "evaluation/metrics"},
	"store":                 {""},
	"results":               {""},
	"webhooks":              {""},
	"console":               {""},
	"engine":                {"", "calibration", "challenge", "configs", "detector", "identity", "injection", "media", "models", "motion", "onnx", "pipeline", "scorer", "verdict"},
	"extract":               {"", "benchmark", "detector", "engine", "media"},
	"publish":               {""},
	"evaluation":            {"", "benchmark"},
	"evaluation/report":     {"", "benchmark", "evaluation/metrics", "evaluation/robustness"},
	"evaluation/robustness": {"", "evaluation/metrics"},
	"transcode":             {"", "media"},
	"webclient":             {},
	"configs":               {},
	"internal":              {""},
	"internal/datasettest":  {"", "benchmark", "engine", "onnx"},
	"cmd":                   {anyRoom},
	"examples":              {"engine"},
	"examples/backend-go":   {},

	"ingest/live/admission": {},

	"internal/variants/load": {"", "engine", "media"},
	"scripts/variants":       {"", "engine", "transcode"},
	"scripts/verdicts":       {"", "verdict"},
	"scripts/motion":         {"", "engine", "media", "motion", "transcode"},
}

const anyRoom = "*"

// foreign names the libraries that only some packages may import; nil: all packages may. The
// root and the examples may import no library at all, and cmd only those that are named here.
var foreign = map[string][]string{
	"github.com/pion/":                    {"ingest", "ingest/live", "ingest/livekit", "ingest/rtc", "internal/codecs", "publish"},
	"github.com/livekit/":                 {"ingest/livekit"},
	"github.com/twitchtv/":                {"ingest/livekit"},
	"github.com/go-jose/go-jose":          {"results"},
	"github.com/standard-webhooks/":       {"webhooks"},
	"github.com/go-json-experiment/json":  {"internal/strictjson"},
	"github.com/asticode/go-astiav":       {"media", "transcode"},
	"gocv.io/x/gocv":                      {"detector"},
	"github.com/yalue/onnxruntime_go":     {"onnx"},
	"github.com/redis/go-redis":           {"store", "internal/redistest"},
	"github.com/gorilla/websocket":        {"ingest", "publish"},
	"github.com/spf13/cobra":              {"cmd/liveproof"},
	"github.com/spf13/pflag":              {"cmd/liveproof"},
	"gonum.org/v1/gonum":                  {"evaluation", "evaluation/metrics", "evaluation/report"},
	"gonum.org/v1/plot":                   {"evaluation/report"},
	"github.com/schollz/progressbar":      {"cmd/liveproof"},
	"golang.org/x/term":                   {"cmd/liveproof"},
	"go.yaml.in/yaml":                     {"cmd/liveproof", "models"},
	"net/http":                            {"console", "ingest", "ingest/livekit", "injection", "models", "publish", "webhooks", "cmd/liveproof", "examples/backend-go"},
	"github.com/landlock-lsm/":            {"internal/sandbox"},
	"go.opentelemetry.io/otel/trace":      {"ingest", "ingest/live", "webhooks", "internal/tracing"},
	"go.opentelemetry.io/otel/attribute":  {"ingest", "ingest/live", "webhooks", "internal/tracing"},
	"go.opentelemetry.io/otel/sdk":        {"internal/tracing"},
	"go.opentelemetry.io/otel/exporters":  {"internal/tracing"},
	"github.com/prometheus/client_golang": nil,
	"golang.org/x/sync":                   nil,
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// TestDependencyDirection checks the imports of all code but tests against the
// architecture.
func TestDependencyDirection(t *testing.T) {
	for _, p := range listPackages(t) {
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		for _, imported := range p.Imports {
			require.True(t, allowed(room, imported), "%s must not import %s", p.ImportPath, imported)
		}
	}
}

func allowed(room, imported string) bool {
	if own, ok := strings.CutPrefix(imported, module); ok {
		return allowedOwn(room, strings.TrimPrefix(own, "/"))
	}
	for prefix, rooms := range foreign {
		if strings.HasPrefix(imported, prefix) && (!standardOnly(room) || prefix == "net/http") {
			return rooms == nil || slices.Contains(rooms, room)
		}
	}
	// In paths of the standard library the first element has no dot.
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".") || !standardOnly(room) && !within(room, "cmd")
}

// standardOnly reports whether a package may import no library, only the standard one and this
// module's packages.
func standardOnly(room string) bool { return room == "" || within(room, "examples") }

func allowedOwn(room, own string) bool {
	switch {
	case within(own, room) || within(room, own):
		return true
	case within(own, "internal"):
		// Test helpers are for tests only. An example must do without internal/, as any
		// other program must.
		return !strings.HasSuffix(own, "test") && !within(room, "examples")
	}
	return slices.Contains(permits(room), own) || slices.Contains(permits(room), anyRoom)
}

// within reports whether a package is the room or one of its sub-packages. The root package
// counts as having none.
func within(own, room string) bool {
	return own == room || room != "" && strings.HasPrefix(own, room+"/")
}

// permits returns what a room may import; a sub-package such as cmd/liveproof
// has the permits of its parent.
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
		{"", module + "/engine", false},
		{"", "github.com/prometheus/client_golang/prometheus", false},
		{"ingest", module + "/ingest/rtc", true},
		{"ingest/live", module + "/store", false},
		{"ingest/live", "net/http", false},
		{"ingest/live", module + "/ingest/live/admission", true},
		{"ingest/live/admission", module + "/ingest/rtc", false},
		{"", "net/http", false},
		{"engine", module + "/ingest", false},
		{"engine", module + "/cmd/liveproof", false},
		{"engine", module + "/scorer", true},
		{"engine", "github.com/asticode/go-astiav", false},
		{"extract", module + "/engine", true},
		{"extract", module + "/ingest", false},
		{"extract", "github.com/schollz/progressbar/v3", false},
		{"publish", module + "/ingest", false},
		{"publish", module + "/engine", false},
		{"publish", "github.com/pion/webrtc/v4", true},
		{"store", module + "/internal/check", true},
		{"store", module + "/internal/redistest", false},
		{"a/new/room", module + "/store", false},
		{"examples/judge", module + "/engine", true},
		{"examples/judge", module + "/scorer", false},
		{"examples/judge", module + "/internal/check", false},
		{"examples/judge", "golang.org/x/sync/errgroup", false},
		{"examples/backend-go", module + "/engine", false},
		{"examples/backend-go", module + "/publish", false},
		{"examples/backend-go", "github.com/some/library", false},
		{"examples/backend-go", "net/http", true},
		{"cmd/liveproof", module + "/ingest", true},
		{"cmd/liveproof", module + "/internal/datasettest", false},
		{"cmd/liveproof", "github.com/spf13/cobra", true},
		{"cmd/liveproof", "net/http", true},
		{"cmd/liveproof", "gocv.io/x/gocv", false},
		{"cmd/liveproof", "github.com/asticode/go-astiav", false},
		{"cmd/liveproof", "github.com/yalue/onnxruntime_go", false},
		{"cmd/liveproof", "github.com/redis/go-redis/v9", false},
		{"cmd/liveproof", "github.com/gorilla/websocket", false},
		{"cmd/liveproof", "github.com/pion/webrtc/v4", false},
		{"cmd/liveproof", "github.com/some/library", false},
		{"ingest/live", module + "/ingest/livekit", false},
		{"cmd/liveproof", "github.com/livekit/server-sdk-go/v2", false},
		{"pipeline", "go.opentelemetry.io/otel/trace", false},
		{"webhooks", "go.opentelemetry.io/otel/trace", true},
		{"webhooks", "go.opentelemetry.io/otel/sdk/trace", false},
	} {
		require.Equal(t, c.want, allowed(c.room, c.imported), "%s → %s", c.room, c.imported)
	}
}
