package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// touch creates an empty file with its folders.
func touch(t *testing.T, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFindLibraryTakesTheFirstPlace(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("file names of Linux")
	}
	root := t.TempDir()
	touch(t, root, "repo", "go.mod")
	places := []string{ // from the first to be taken to the last
		touch(t, root, "env", "libonnxruntime.so"),
		touch(t, root, "app", "bin", "lib", "libonnxruntime.so.1.30.0"),
		touch(t, root, "app", "lib", "libonnxruntime.so"),
		touch(t, root, "repo", "deep", "er", ".cache", "onnxruntime", "libonnxruntime.so"),
		touch(t, root, "repo", ".cache", "onnxruntime", "libonnxruntime.so.1.30.0"),
		touch(t, root, "system", "libonnxruntime.so"),
	}
	env := places[0]
	s := surroundings{
		env:        func(string) string { return env },
		workingDir: filepath.Join(root, "repo", "deep", "er"),
		executable: filepath.Join(root, "app", "bin", "liveproof"),
		systemDirs: []string{filepath.Join(root, "system")},
	}
	for _, want := range places {
		got, err := findLibrary("", s)
		if err != nil || got != want {
			t.Fatalf("findLibrary = %q, %v; want %q", got, err, want)
		}
		env = ""
		if err := os.Remove(want); err != nil {
			t.Fatal(err)
		}
	}
	_, err := findLibrary("", s)
	if !errors.Is(err, ErrLibrary) || !strings.Contains(err.Error(), "make setup") {
		t.Fatalf("error %v does not say what to do", err)
	}
}

func TestFindLibraryNeverReplacesWhatWasAskedFor(t *testing.T) {
	root := t.TempDir()
	touch(t, root, "system", "libonnxruntime.so")
	s := surroundings{env: func(string) string { return "" }, systemDirs: []string{filepath.Join(root, "system")}}
	if path, err := findLibrary(filepath.Join(root, "absent.so"), s); !errors.Is(err, ErrLibrary) {
		t.Fatalf("findLibrary = %q, %v; want ErrLibrary", path, err)
	}
	s.env = func(string) string { return filepath.Join(root, "absent.so") }
	if path, err := findLibrary("", s); !errors.Is(err, ErrLibrary) || !strings.Contains(err.Error(), LibraryEnv) {
		t.Fatalf("findLibrary = %q, %v; want ErrLibrary naming %s", path, err, LibraryEnv)
	}
}

// Outside a checkout a parent directory such as /tmp may be another user's.
func TestFindLibraryStaysInsideTheCheckout(t *testing.T) {
	root := t.TempDir()
	touch(t, root, ".cache", "onnxruntime", "libonnxruntime.so")
	dir := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := surroundings{env: func(string) string { return "" }, workingDir: dir}
	if path, err := findLibrary("", s); err == nil {
		t.Fatalf("took %q from outside the checkout", path)
	}
}

func TestOpenRefusesALibraryThatIsNone(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Library = touch(t, t.TempDir(), "libonnxruntime.so")
	if shared.refs > 0 {
		t.Fatal("another test left the environment open")
	}
	if _, err := Open(cfg); !errors.Is(err, ErrLibrary) {
		t.Fatalf("Open = %v, want ErrLibrary", err)
	}
}
