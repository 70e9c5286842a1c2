package liveproof

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestImagePoolHasOneOwner(t *testing.T) {
	var pool ImagePool
	a, err := pool.Get(4, 2)
	require.NoError(t, err)
	require.Len(t, a.Pix, 24)
	require.Equal(t, 12, a.Stride)
	require.EqualValues(t, 1, pool.Leased())
	a.Release()
	a.Release()
	require.EqualValues(t, 0, pool.Leased(), "released twice counts once")
	require.Nil(t, a.Pix, "a stale owner reaches nothing")
	(*Image)(nil).Release()
}

func TestImagePoolRefusesAbsurdSizes(t *testing.T) {
	var pool ImagePool
	for _, size := range [][2]int{{0, 1}, {1, -1}, {1 << 20, 1}, {1 << 30, 1 << 30}} {
		_, err := pool.Get(size[0], size[1])
		require.ErrorIs(t, err, ErrPictureTooLarge)
	}
	require.Zero(t, pool.Leased())
}

func TestBoxIoU(t *testing.T) {
	a := Box{0, 0, 10, 10}
	for _, c := range []struct {
		b    Box
		want float32
	}{
		{a, 1},
		{Box{5, 0, 15, 10}, 1.0 / 3},
		{Box{10, 0, 20, 10}, 0},
		{Box{8, 8, 2, 2}, 0}, // inverted
	} {
		require.InDelta(t, c.want, a.IoU(c.b), 1e-6)
	}
}

func BenchmarkImagePool(b *testing.B) {
	var pool ImagePool
	b.ReportAllocs()
	for b.Loop() {
		m, _ := pool.Get(640, 480)
		m.Release()
	}
}

func TestTurnOver(t *testing.T) {
	m := NewImage(3, 1)
	m.Width, m.Pix = 2, []byte{1, 2, 3, 4, 5, 6, 99, 99, 99} // a row with padding
	m.TurnOver()
	require.Equal(t, []byte{4, 5, 6, 1, 2, 3, 99, 99, 99}, m.Pix)
}
