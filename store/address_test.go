package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddresses(t *testing.T) {
	for address, want := range map[string]struct {
		addrs   []string
		user    string
		db      int
		cluster bool
		master  string
		tls     bool
		server  string
	}{
		"redis://localhost":                                      {addrs: []string{"localhost:6379"}},
		"redis://app:secret@redis.internal:6380/2":               {addrs: []string{"redis.internal:6380"}, user: "app", db: 2},
		"rediss://app:secret@redis.internal":                     {addrs: []string{"redis.internal:6379"}, user: "app", tls: true, server: "redis.internal"},
		"unix:///run/redis.sock?db=1":                            {addrs: []string{"/run/redis.sock"}, db: 1},
		"redis-cluster://a":                                      {addrs: []string{"a:6379"}, cluster: true},
		"redis://app:s@a:7000,b:7001,[::1]":                      {addrs: []string{"a:7000", "b:7001", "[::1]:6379"}, user: "app", cluster: true},
		"rediss-cluster://a,b?protocol=2":                        {addrs: []string{"a:6379", "b:6379"}, cluster: true, tls: true},
		"redis-sentinel://app:secret@s1:26380,s2/3#mymaster":     {addrs: []string{"s1:26380", "s2:26379"}, user: "app", db: 3, master: "mymaster"},
		"rediss-sentinel://s1,s2,s3#orders-eu":                   {addrs: []string{"s1:26379", "s2:26379", "s3:26379"}, master: "orders-eu", tls: true},
		"redis-sentinel://app:p%40ss%2C@s1:26379?pool_size=7#m1": {addrs: []string{"s1:26379"}, user: "app", master: "m1"},
	} {
		t.Run(address, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Redis = address
			require.NoError(t, cfg.Validate())
			opt, err := cfg.redisOptions()
			require.NoError(t, err)
			require.Equal(t, want.addrs, opt.Addrs)
			require.Equal(t, want.user, opt.Username)
			require.Equal(t, want.db, opt.DB)
			require.Equal(t, want.cluster, opt.IsClusterMode)
			require.Equal(t, want.master, opt.MasterName)
			require.Equal(t, want.tls, opt.TLSConfig != nil)
			if want.tls {
				require.Equal(t, want.server, opt.TLSConfig.ServerName)
			}
		})
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for _, address := range []string{
		"redis.internal:6379", "http://redis", "redis-sentinel://s1,s2", "redis-sentinel://s1#", "redis-cluster://a,b/1",
		"redis://app:topsecret@a,,b", "redis://app:topsecret@a:b:c,d", "redis-cluster://", "unix-cluster:///run/x",
		"redis://app:topsecret@a/x", "redis-cluster://app:topsecret@a/x", "redis://app:topsecret@a?nonsense=1",
	} {
		t.Run(address, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Redis = address
			err := cfg.Validate()
			require.ErrorContains(t, err, "redis: ")
			require.NotContains(t, err.Error(), "topsecret")
		})
	}
	cfg := DefaultConfig()
	cfg.Redis, cfg.RedisCA = "redis://a", "/nowhere.pem"
	require.ErrorContains(t, cfg.Validate(), "rediss://")
	cfg.Redis = "rediss://a"
	require.ErrorContains(t, cfg.Validate(), "redis_ca: ")
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"redis://app:topsecret@a:1,b:2/0#m?x", "redis-sentinel://@,#", "rediss-cluster://[::1]:1,[::", "://", "unix://,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		opt, err := parseAddress(address)
		if err == nil {
			require.NotEmpty(t, opt.Addrs)
		}
	})
}
