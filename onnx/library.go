package onnx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// LibraryEnv names the environment variable with the shared library's path.
const LibraryEnv = "LIVEPROOF_ONNXRUNTIME"

// ErrLibrary says that ONNX Runtime's shared library is missing or unusable.
var ErrLibrary = errors.New("ONNX Runtime's shared library is not usable")

const libraryRemedy = "run `make setup`, or give its path in onnx.library or " + LibraryEnv

// surroundings is what the search for the library depends on, so that tests
// can give their own.
type surroundings struct {
	env        func(string) string
	workingDir string
	executable string
	systemDirs []string
}

func currentSurroundings() surroundings {
	s := surroundings{env: os.Getenv, systemDirs: systemLibraryDirs()}
	s.workingDir, _ = os.Getwd()
	if exe, err := os.Executable(); err == nil {
		s.executable = exe
		if resolved, err := filepath.EvalSymlinks(exe); err == nil {
			s.executable = resolved
		}
	}
	return s
}

func systemLibraryDirs() []string {
	dirs := []string{"/usr/local/lib", "/usr/lib"}
	if runtime.GOOS == "linux" {
		triplet := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
		dirs = append(dirs, filepath.Join("/usr/lib", triplet), "/usr/lib64")
	}
	return append(dirs, "/opt/onnxruntime/lib", "/opt/homebrew/lib")
}

// findLibrary returns the first shared library of: the configured path, the
// environment variable, lib/ beside and above the executable, .cache/onnxruntime
// of this checkout, the system. A path that was asked for is never replaced by
// another one.
func findLibrary(configured string, s surroundings) (string, error) {
	if configured != "" {
		return explicitLibrary("onnx.library", configured)
	}
	if path := s.env(LibraryEnv); path != "" {
		return explicitLibrary(LibraryEnv, path)
	}
	dirs := s.searchDirs()
	for _, dir := range dirs {
		if path := libraryIn(dir); path != "" {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: not found in %s; %s", ErrLibrary, strings.Join(dirs, ", "), libraryRemedy)
}

func explicitLibrary(source, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w; %s", ErrLibrary, source, err, libraryRemedy)
	}
	if !info.IsDir() {
		return path, nil
	}
	if found := libraryIn(path); found != "" {
		return found, nil
	}
	return "", fmt.Errorf("%w: %s: no libonnxruntime in directory %s; %s", ErrLibrary, source, path, libraryRemedy)
}

func (s surroundings) searchDirs() []string {
	var dirs []string
	if s.executable != "" {
		bin := filepath.Dir(s.executable)
		dirs = append(dirs, filepath.Join(bin, "lib"), filepath.Join(filepath.Dir(bin), "lib"))
		dirs = append(dirs, checkoutCaches(filepath.Dir(bin))...)
	}
	dirs = append(dirs, checkoutCaches(s.workingDir)...)
	return append(dirs, s.systemDirs...)
}

// checkoutCaches lists .cache/onnxruntime of dir and its parents up to the one
// that holds go.mod. Outside a checkout only dir itself counts: a parent such
// as /tmp may be written by others.
func checkoutCaches(dir string) []string {
	if dir == "" {
		return nil
	}
	first := filepath.Join(dir, ".cache", "onnxruntime")
	caches := []string{}
	for at := dir; ; at = filepath.Dir(at) {
		caches = append(caches, filepath.Join(at, ".cache", "onnxruntime"))
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return caches
		}
		if at == filepath.Dir(at) {
			return []string{first}
		}
	}
}

// libraryIn returns libonnxruntime.so or, without it, the versioned file
// (libonnxruntime.so.1.30.0) in dir; empty when there is none.
func libraryIn(dir string) string {
	patterns := []string{"libonnxruntime.so", "libonnxruntime.so.*"}
	if runtime.GOOS == "darwin" {
		patterns = []string{"libonnxruntime.dylib", "libonnxruntime.*.dylib"}
	}
	for _, pattern := range patterns {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path
			}
		}
	}
	return ""
}
