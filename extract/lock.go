package extract

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/liveproof/liveproof/internal/filelock"
)

// lockFolder keeps two runs from working on the same videos of one folder: the
// same shard twice, or shards of different counts. The locks end with the
// process, even when it is killed.
func lockFolder(dir string, part Shard) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	count := filepath.Join(dir, fmt.Sprintf(".lock-of-%d", part.count()))
	together, err := lockFile(count, filelock.Sharing)
	if err != nil {
		return nil, err
	}
	if err := noOthers(dir, count); err != nil {
		_ = together.Close()
		return nil, err
	}
	own, err := lockFile(filepath.Join(dir, fmt.Sprintf(".lock-%d-of-%d", part.Index+1, part.count())), filelock.Alone)
	if err != nil {
		_ = together.Close()
		return nil, err
	}
	return func() { _, _ = own.Close(), together.Close() }, nil
}

// noOthers fails while runs with another shard count are at work. If two of them begin at the same
// moment, both fail.
func noOthers(dir, count string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if path == count || !strings.HasPrefix(e.Name(), ".lock-of-") {
			continue
		}
		other, err := lockFile(path, filelock.Alone)
		if err != nil {
			return err
		}
		_ = other.Close()
	}
	return nil
}

// lockFile takes a lock and says what to do where another run holds it.
func lockFile(path string, how filelock.How) (*os.File, error) {
	f, err := filelock.Take(path, how)
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("another extract is working on %s; wait for it, or give each run its own shard i/n with the same n", filepath.Dir(path))
	}
	return f, err
}
