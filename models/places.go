package models

import (
	"os"
	"path/filepath"
	"slices"
)

// Environment variables that say where models are.
const (
	// DirsEnv lists directories, separated as in PATH.
	DirsEnv = "LIVEPROOF_MODELS"
	// SharedEnv is the folder of material that is not committed; models/ in it is searched.
	SharedEnv = "LIVEPROOF_SHARED"
)

// Places is where files are searched; tests give their own.
type Places struct {
	// Dirs are searched in order.
	Dirs []string
	// Downloads is where Pull writes; it is searched last.
	Downloads string
}

// DefaultPlaces follows the order that configs/models.yaml documents.
func DefaultPlaces() Places {
	var dirs []string
	named := filepath.SplitList(os.Getenv(DirsEnv))
	dirs = append(dirs, named...)
	if exe, err := os.Executable(); err == nil {
		if resolved, err := filepath.EvalSymlinks(exe); err == nil {
			exe = resolved
		}
		bin := filepath.Dir(exe)
		dirs = append(dirs, filepath.Join(bin, "models"), filepath.Join(filepath.Dir(bin), "models"))
	}
	root := checkout()
	if root != "" {
		dirs = append(dirs, filepath.Join(root, "models"))
	}
	dirs = append(dirs, sharedDirs()...)
	return Places{Dirs: slices.DeleteFunc(dirs, func(d string) bool { return d == "" }), Downloads: downloads(named, root)}
}

func sharedDirs() []string {
	if shared := os.Getenv(SharedEnv); shared != "" {
		return []string{filepath.Join(shared, "models")}
	}
	return nil
}

// downloads is the first directory that the operator named, else the
// checkout's cache, else the user's.
func downloads(named []string, root string) string {
	if len(named) > 0 && named[0] != "" {
		return named[0]
	}
	if root != "" {
		return filepath.Join(root, ".cache", "models")
	}
	if cache, err := os.UserCacheDir(); err == nil {
		return filepath.Join(cache, "liveproof", "models")
	}
	return "models"
}

// checkout is the nearest directory with a go.mod, from the working directory
// and from the executable upward; empty when there is none.
func checkout() string {
	starts := []string{}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	for _, at := range starts {
		for {
			if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
				return at
			}
			if at == filepath.Dir(at) {
				break
			}
			at = filepath.Dir(at)
		}
	}
	return ""
}
