package benchmark

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriteFileKeepsTheOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "x.csv")
	say := func(text string, err error) error {
		return WriteFile(path, func(w io.Writer) error { _, _ = io.WriteString(w, text); return err })
	}
	require.NoError(t, say("first", nil))
	full := errors.New("no space left on device")
	require.ErrorIs(t, say("half", full), full)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "first", string(data))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no partial file stays")
}
