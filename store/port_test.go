package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPort(t *testing.T) {
	for redis, want := range map[string]uint16{
		"": 0, "unix:///run/redis.sock": 0, "redis://cache": 6379, "rediss://user:secret@cache:7000/1": 7000, "redis://[::1]:6380": 6380,
	} {
		port, known, err := Config{Redis: redis}.Port()
		require.NoError(t, err, redis)
		require.True(t, known, redis)
		require.Equal(t, want, port, redis)
	}
	for _, redis := range []string{"redis-sentinel://a:26379/0#main", "redis-cluster://a:6379,b:6379"} {
		_, known, err := Config{Redis: redis}.Port()
		require.NoError(t, err)
		require.False(t, known, redis)
	}
	_, known, err := Config{Redis: "redis://user:secret@cache:70000"}.Port()
	require.False(t, known)
	require.ErrorContains(t, err, "70000")
	_, _, err = Config{Redis: "redis://user:secret@ca che"}.Port()
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}
