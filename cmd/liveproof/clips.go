package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"weak"

	"github.com/liveproof/liveproof/internal/atomicfile"
	"github.com/liveproof/liveproof/publish"
	"github.com/liveproof/liveproof/transcode"
)

// clipStore encodes files and keeps the clips in a folder, each as an IVF file that is named by the digest of the source and of all that
// decides about its encoding. So a file is encoded once, whoever sends it, and however often.
type clipStore struct {
	dir       string
	temporary bool // the folder is removed at the end
	encoding  transcode.Config

	mu     sync.Mutex
	loaded map[string]weak.Pointer[publish.Clip] // by path: sessions that send the same clip share its memory
}

// clipsVersion changes when the same settings give another encoding.
const clipsVersion = 1

// defaultClipDir is "" where the user has no folder for caches.
func defaultClipDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "liveproof", "clips")
}

// openClipStore keeps clips in dir, or in a folder for this run alone if dir is "".
func openClipStore(dir string, encoding transcode.Config) (s *clipStore, err error) {
	s = &clipStore{dir: dir, temporary: dir == "", encoding: encoding, loaded: map[string]weak.Pointer[publish.Clip]{}}
	if s.temporary {
		s.dir, err = os.MkdirTemp("", "liveproof-clips-")
		return s, err
	}
	return s, os.MkdirAll(dir, 0o755)
}

func (s *clipStore) close() error {
	if s.temporary {
		return os.RemoveAll(s.dir)
	}
	return nil
}

// encode returns the path of the file's clip, which it makes if it is not there yet. progress gets the share that is done, in [0,1].
func (s *clipStore) encode(ctx context.Context, path string, progress func(share float64)) (clip string, err error) {
	name, err := s.name(path)
	if err != nil {
		return "", err
	}
	clip = filepath.Join(s.dir, name)
	if _, err := os.Stat(clip); err == nil {
		progress(1)
		return clip, nil
	}
	file, err := atomicfile.Create(clip)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Discard()) }()
	if _, err := transcode.File(ctx, s.encoding, path, file, progress); err != nil {
		return "", err
	}
	return clip, file.Commit()
}

// name is the digest of the file's bytes and of the settings.
func (s *clipStore) name(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	settings, err := json.Marshal(struct {
		Version  int
		Settings transcode.Config
	}{clipsVersion, s.encoding})
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	digest.Write(settings)
	if _, err := io.Copy(digest, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)[:16]) + ".ivf", nil
}

// load reads a clip, or shares it with those who send it already.
func (s *clipStore) load(path string) (*publish.Clip, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if clip := s.loaded[path].Value(); clip != nil {
		return clip, nil
	}
	clip, err := publish.ReadIVF(path)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	s.loaded[path] = weak.Make(clip)
	return clip, nil
}
