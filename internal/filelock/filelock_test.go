package filelock_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/filelock"
)

func TestTake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := filelock.Take(path, filelock.Sharing)
	require.NoError(t, err)
	second, err := filelock.Take(path, filelock.Sharing)
	require.NoError(t, err)
	_, err = filelock.Take(path, filelock.Alone)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
	alone, err := filelock.Take(path, filelock.Alone)
	require.NoError(t, err)
	_, err = filelock.Take(path, filelock.Sharing)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.NoError(t, alone.Close())
	turn, err := filelock.Take(path, filelock.InMyTurn)
	require.NoError(t, err)
	require.NoError(t, turn.Close())
	_, err = filelock.Take(filepath.Join(path, "below a file"), filelock.Alone)
	require.Error(t, err)
}
