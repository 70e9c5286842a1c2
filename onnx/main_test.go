package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openRuntime(t testing.TB, cfg Config) *Runtime {
	t.Helper()
	r, err := Open(cfg)
	if errors.Is(err, ErrLibrary) && cfg.Library == "" && os.Getenv(LibraryEnv) == "" {
		t.Skipf("ONNX Runtime's shared library is missing: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func readModel(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "scorer", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func newTestTensor[T Element](t testing.TB, r *Runtime, shape ...int64) *Tensor[T] {
	t.Helper()
	tensor, err := NewTensor[T](r, shape...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tensor.Close() })
	return tensor
}
