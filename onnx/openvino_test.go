package onnx

import (
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestOpenVINOSettings(t *testing.T) {
	cases := []struct {
		job  job
		want string
	}{
		{
			job{cfg: Config{IntraOpThreads: 1, Precision: PrecisionBF16}},
			`{"CPU":{"ENABLE_CPU_PINNING":"NO","INFERENCE_NUM_THREADS":"1","INFERENCE_PRECISION_HINT":"bf16","NUM_STREAMS":"1"}}`,
		},
		{
			job{cfg: Config{IntraOpThreads: 2, Precision: PrecisionFP32}, parallel: 4},
			`{"CPU":{"ENABLE_CPU_PINNING":"NO","INFERENCE_NUM_THREADS":"8","INFERENCE_PRECISION_HINT":"f32","NUM_STREAMS":"4"}}`,
		},
		{
			job{cfg: Config{IntraOpThreads: 0, Precision: PrecisionFP32}, parallel: 4},
			`{"CPU":{"ENABLE_CPU_PINNING":"NO","INFERENCE_PRECISION_HINT":"f32","NUM_STREAMS":"4"}}`,
		},
	}
	for _, c := range cases {
		got, err := openVINOSettings(c.job)
		if err != nil || got["device_type"] != "CPU" || got["load_config"] != c.want {
			t.Errorf("settings = %v, %v; want %s", got, err, c.want)
		}
	}
}

// loadOpenVINO loads the small network on OpenVINO, or skips the test where it is not installed.
func loadOpenVINO(t *testing.T, opt SessionOptions) (*Runtime, *Session) {
	t.Helper()
	r := openRuntime(t, DefaultConfig())
	opt.Provider = ProviderOpenVINO
	s, err := r.Load(readModel(t, "tiny.onnx"), opt)
	if errors.Is(err, ErrProvider) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return r, s
}

// Several runs at once, of several batch sizes, more than there are streams.
func TestOpenVINORunsSideBySide(t *testing.T) {
	r, s := loadOpenVINO(t, SessionOptions{Outputs: []string{"rho"}, Parallel: 2})
	var wg sync.WaitGroup
	for i := range 4 {
		n := int64(i + 1)
		faces, rho := newTestTensor[uint8](t, r, n, 224, 224, 3), newTestTensor[float32](t, r, n)
		fill(faces.Data(), uint8(60*i))
		wg.Go(func() {
			for range 20 {
				err := s.Run(t.Context(), []Value{faces}, []Value{rho})
				for _, got := range rho.Data() {
					if want := float64(60*i) / 255; err != nil || math.Abs(float64(got)-want) > 5e-3 {
						t.Errorf("rho = %v, %v; want %v", got, err, want)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestOpenVINOHonoursTheContext(t *testing.T) {
	r, s := loadOpenVINO(t, SessionOptions{Outputs: []string{"rho"}})
	stopsWithItsContext(t, r, s)
}

// ONNX Runtime without OpenVINO's files beside it, as on a machine of another architecture.
func TestLibraryWithoutOpenVINO(t *testing.T) {
	if os.Getenv(aloneEnv) == "" {
		runAlone(t)
		return
	}
	r, err := Open(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	model := readModel(t, "tiny.onnx")
	if _, err := r.Load(model, SessionOptions{Provider: ProviderOpenVINO}); !errors.Is(err, ErrProvider) || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("openvino: Load = %v, want ErrProvider that says what to do", err)
	}
	s, err := r.LoadTried(t.Context(), model, SessionOptions{}, Trial{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("auto: %v", err)
	}
	defer func() { _ = s.Close() }()
	if got := s.Execution(); got != (Execution{ProviderCPU, PrecisionFP32}) {
		t.Errorf("auto runs on %v", got)
	}
}

const aloneEnv = "LIVEPROOF_TEST_ALONE"

// runAlone runs the test again in a process of its own, with a copy of the main library alone, because
// a process can load only one library.
func runAlone(t *testing.T) {
	t.Helper()
	library := openRuntime(t, DefaultConfig()).Library()
	alone := filepath.Join(t.TempDir(), filepath.Base(library))
	copyFile(t, library, alone)
	test := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	test.Env = append(os.Environ(), LibraryEnv+"="+alone, aloneEnv+"=1")
	if out, err := test.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
