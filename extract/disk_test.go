package extract

import (
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/internal/datasettest"
)

// TestFullDisk: what has its final name is whole, and the same call goes on when there is space again.
func TestFullDisk(t *testing.T) {
	f, disk, whole := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 0)}), datasettest.NewDisk(t, 1<<20), t.TempDir()
	f.extract(t, whole, 3)
	summary, err := f.run(t, disk.Dir, 3, Shard{})
	require.ErrorIs(t, err, ErrOutput)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, disk.Dir)
	require.Nil(t, summary.Report)
	require.NoFileExists(t, filepath.Join(disk.Dir, benchmark.ManifestName))
	pictures := wholePictures(t, disk.Dir)
	require.Positive(t, pictures, "it was not full from the beginning")

	disk.Resize(64 << 20)
	f.extract(t, disk.Dir, 3)
	require.Greater(t, wholePictures(t, disk.Dir), pictures)
	require.Equal(t, readFile(t, whole, benchmark.ManifestName), readFile(t, disk.Dir, benchmark.ManifestName))
}

// wholePictures counts the crops; each can be decoded.
func wholePictures(t *testing.T, dir string) (n int) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		require.NotContains(t, path, ".partial")
		if strings.HasSuffix(path, ".png") {
			loadPNG(t, path)
			n++
		}
		return err
	}))
	return n
}

func TestReadOnlyDisk(t *testing.T) {
	f, disk := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 0), Every: 3}), datasettest.NewDisk(t, 1<<20)
	disk.ReadOnly()
	_, err := f.run(t, disk.Dir, 1, Shard{})
	require.ErrorIs(t, err, ErrOutput)
	require.ErrorIs(t, err, syscall.EROFS)
	require.ErrorContains(t, err, disk.Dir)
}
