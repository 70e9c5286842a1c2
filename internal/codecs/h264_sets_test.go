package codecs

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParameterSetsAreBounded(t *testing.T) {
	var p h264Sets
	for i := range 10000 {
		nal := append([]byte{0, 0, 1, 0x68}, bytes.Repeat([]byte{byte(i), byte(i >> 8), 1}, 10)...)
		p.Learn(nal)
		p.Learn(nal)
	}
	require.LessOrEqual(t, len(p.Prepend(nil)), 2*maxParameterSets)
	p.Learn(append([]byte{0, 0, 1, 0x67}, bytes.Repeat([]byte{1}, 1<<20)...))
	require.LessOrEqual(t, len(p.Prepend(nil)), 2*maxParameterSets)
}
