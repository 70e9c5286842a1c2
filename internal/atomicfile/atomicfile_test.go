package atomicfile_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/atomicfile"
	"github.com/liveproof/liveproof/internal/datasettest"
)

func TestWriteKeepsTheOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "x.csv")
	say := func(text string, err error) error {
		return atomicfile.Write(path, func(w io.Writer) error { _, _ = io.WriteString(w, text); return err })
	}
	require.NoError(t, say("first", nil))
	broken := errors.New("the source broke")
	require.ErrorIs(t, say("half", broken), broken)
	require.Equal(t, map[string]int{"x.csv": 5}, files(t, filepath.Dir(path)), "no partial file stays")
	require.NoError(t, atomicfile.Bytes(path, []byte("second")))
	require.Equal(t, map[string]int{"x.csv": 6}, files(t, filepath.Dir(path)))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o644), info.Mode().Perm(), "others may read it")
}

// files are the sizes of a folder's files by name.
func files(t *testing.T, dir string) map[string]int {
	t.Helper()
	found := map[string]int{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		found[e.Name()] = int(info.Size())
	}
	return found
}

// TestFullDisk fills a disk with files until none fits, by each way of writing: what has its name is whole, nothing else is there,
// and the error says what to do.
func TestFullDisk(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 6000) // larger than the buffer
	for name, write := range map[string]func(path string) error{
		"bytes": func(path string) error { return atomicfile.Bytes(path, content) },
		"write": func(path string) error {
			return atomicfile.Write(path, func(w io.Writer) error {
				for range 2 {
					if _, err := w.Write(content[:len(content)/2]); err != nil {
						return err
					}
				}
				return nil
			})
		},
		"create": func(path string) error {
			f, err := atomicfile.Create(path)
			if err != nil {
				return err
			}
			_, err = f.Write(content)
			if err == nil {
				err = f.Commit()
			}
			return errors.Join(err, f.Discard())
		},
	} {
		t.Run(name, func(t *testing.T) {
			disk := datasettest.NewDisk(t, 1<<20)
			var err error
			n := 0
			for ; err == nil; n++ {
				require.Less(t, n, 100, "the disk never filled")
				err = write(filepath.Join(disk.Dir, string(rune('a'+n))))
			}
			require.ErrorIs(t, err, syscall.ENOSPC)
			if name != "create" { // there the caller writes, and tells its own error
				require.ErrorContains(t, err, disk.Dir)
				require.ErrorContains(t, err, "free some there")
			}
			found := files(t, disk.Dir)
			require.Len(t, found, n-1)
			require.NotEmpty(t, found)
			for file, size := range found {
				require.Equal(t, len(content), size, file)
			}
			disk.Resize(2 << 20)
			require.NoError(t, write(filepath.Join(disk.Dir, "again")))
		})
	}
}

// TestFullDiskKeepsWholeLines: a line that does not fit leaves the lines before it as they were.
func TestFullDiskKeepsWholeLines(t *testing.T) {
	disk := datasettest.NewDisk(t, 1<<20)
	path := filepath.Join(disk.Dir, "lines")
	line := append(bytes.Repeat([]byte("x"), 99_990), '\n')
	var err error
	n := 0
	for ; err == nil; n++ {
		require.Less(t, n, 100, "the disk never filled")
		err = atomicfile.Append(path, line)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "free some there")
	require.Equal(t, map[string]int{"lines": (n - 1) * len(line)}, files(t, disk.Dir))
}

func TestReadOnlyDisk(t *testing.T) {
	disk := datasettest.NewDisk(t, 1<<20)
	disk.ReadOnly()
	require.ErrorIs(t, atomicfile.Bytes(filepath.Join(disk.Dir, "x"), nil), syscall.EROFS)
	require.ErrorIs(t, atomicfile.Append(filepath.Join(disk.Dir, "x"), nil), syscall.EROFS)
}
