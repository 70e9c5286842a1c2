package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExportTriton: the file is the catalogue's, and a version that a server may be serving is never overwritten.
func TestExportTriton(t *testing.T) {
	dir := t.TempDir()
	const model = "liveproof-demo-resnet18-int8"
	out, _, code := command(t, "models", "export-triton", model, "--out", dir)
	require.Zero(t, code)
	require.Equal(t, filepath.Join(dir, "liveproof")+"\n", out)
	want, err := os.ReadFile(filepath.Join("..", "..", "models", model+".onnx"))
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join(dir, "liveproof", "1", "model.onnx"))
	require.NoError(t, err)
	require.Equal(t, want, got)
	config, err := os.ReadFile(filepath.Join(dir, "liveproof", "config.pbtxt"))
	require.NoError(t, err)
	require.Contains(t, string(config), "max_batch_size: 64")
	_, message, code := command(t, "models", "export-triton", model, "--out", dir)
	require.Equal(t, 2, code)
	require.Contains(t, message, "give the next --version")
	_, _, code = command(t, "models", "export-triton", model, "--out", dir, "--version", "2")
	require.Zero(t, code)
}
