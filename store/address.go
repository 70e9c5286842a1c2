package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// The forms of Config.Redis. Each may name an ACL user and password, and each has a form with TLS.
//
//   - redis://user:password@host:6379/0, rediss://…, unix:///run/redis.sock: one server;
//   - redis-sentinel://user:password@host1:26379,host2:26379/0#name: the master that these sentinels know by that name;
//   - redis-cluster://user:password@host1:6379,host2:6379: the cluster of these nodes. Several addresses with redis:// mean the same.
const (
	sentinelSuffix = "-sentinel"
	clusterSuffix  = "-cluster"
)

// errAddress says which forms there are.
var errAddress = errors.New("not an address such as redis://host:6379/0, redis-sentinel://host1:26379,host2:26379/0#name or redis-cluster://host1:6379,host2:6379")

// connect makes the client; it does not connect yet.
func (c Config) connect() (redis.UniversalClient, error) {
	opt, err := c.redisOptions()
	if err != nil {
		return nil, err
	}
	if !opt.IsClusterMode {
		return redis.NewUniversalClient(opt), nil
	}
	cluster := opt.Cluster()
	cluster.ClusterStateReloadInterval = clusterReload
	return redis.NewClusterClient(cluster), nil
}

// clusterReload is how old the client's map of a cluster's slots may get. A dead node's slots are looked up there until then.
const clusterReload = 2 * time.Second

// redisOptions are the options of the address with the timeouts of the configuration. No error shows a password.
func (c Config) redisOptions() (*redis.UniversalOptions, error) {
	opt, err := parseAddress(c.Redis)
	if err != nil {
		return nil, err
	}
	if err := c.secure(opt); err != nil {
		return nil, err
	}
	opt.DialTimeout = c.DialTimeout
	opt.ReadTimeout, opt.WriteTimeout = c.CallTimeout, c.CallTimeout
	opt.PoolTimeout = c.CallTimeout + time.Second
	opt.ContextTimeoutEnabled = true
	opt.MaxRetries, opt.MaxRedirects = c.Retries, c.Retries+clusterRedirects
	if c.Retries == 0 {
		opt.MaxRetries = -1 // go-redis: 0 means its default of 3
	}
	return opt, nil
}

// clusterRedirects is how many more nodes of a cluster a command may be sent to: while a slot moves, each sends it on.
const clusterRedirects = 3

// parseAddress reads an address. A list of hosts is no URL, so the first host stands for all while the rest is parsed.
func parseAddress(address string) (*redis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(address, "://")
	plain, kind := splitScheme(scheme)
	if kind == "" && !strings.Contains(hostsOf(rest), ",") {
		return parseServer(address)
	}
	hosts := strings.Split(hostsOf(rest), ",")
	one, err := redis.ParseURL(plain + "://" + strings.Replace(rest, hostsOf(rest), hosts[0], 1))
	if err != nil {
		return nil, addressError(err)
	}
	if one.Network != "tcp" {
		return nil, errAddress
	}
	opt := universal(one)
	if opt.TLSConfig != nil {
		opt.TLSConfig.ServerName = "" // each node's certificate is checked against the node's own name
	}
	if opt.Addrs, err = addresses(hosts, kind); err != nil {
		return nil, err
	}
	if kind != sentinelSuffix {
		opt.IsClusterMode = true
		return opt, checkDatabase(opt)
	}
	_, opt.MasterName, _ = strings.Cut(rest, "#")
	if opt.MasterName == "" {
		return nil, fmt.Errorf("%w: #name, the name by which the sentinels know the master, is missing", errAddress)
	}
	return opt, nil
}

// splitScheme takes redis-cluster apart into redis and -cluster.
func splitScheme(scheme string) (plain, kind string) {
	for _, kind := range []string{sentinelSuffix, clusterSuffix} {
		if plain, ok := strings.CutSuffix(scheme, kind); ok {
			return plain, kind
		}
	}
	return scheme, ""
}

// hostsOf is the list of hosts of what follows the scheme.
func hostsOf(rest string) string {
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "/")
	return rest[strings.LastIndex(rest, "@")+1:]
}

// addresses gives each host its port.
func addresses(hosts []string, kind string) (out []string, err error) {
	port := "6379"
	if kind == sentinelSuffix {
		port = "26379"
	}
	for _, host := range hosts {
		u, err := url.Parse("redis://" + host)
		if err != nil || u.Hostname() == "" || u.Host != host {
			return nil, fmt.Errorf("%w: %q is no host", errAddress, host)
		}
		if u.Port() == "" {
			host += ":" + port
		}
		out = append(out, host)
	}
	return out, nil
}

func parseServer(address string) (*redis.UniversalOptions, error) {
	one, err := redis.ParseURL(address)
	if err != nil {
		return nil, addressError(err)
	}
	return universal(one), nil
}

// universal has the part of the options that an address can set.
func universal(o *redis.Options) *redis.UniversalOptions {
	opt := &redis.UniversalOptions{
		Addrs: []string{o.Addr}, DB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig, ClientName: o.ClientName,
		Protocol: o.Protocol, PoolSize: o.PoolSize, MinIdleConns: o.MinIdleConns, MaxIdleConns: o.MaxIdleConns,
		ConnMaxIdleTime: o.ConnMaxIdleTime, ConnMaxLifetime: o.ConnMaxLifetime,
	}
	return opt
}

func checkDatabase(opt *redis.UniversalOptions) error {
	if opt.DB != 0 {
		return fmt.Errorf("a cluster has no database %d, only 0", opt.DB)
	}
	return nil
}

// addressError leaves the URL out of a parser's error: it may hold a password.
func addressError(err error) error {
	if parse, ok := errors.AsType[*url.Error](err); ok {
		err = parse.Err
	}
	return fmt.Errorf("%w: %w", errAddress, err)
}

// secure sets the certificates of the configuration.
func (c Config) secure(opt *redis.UniversalOptions) error {
	if c.RedisCA == "" && c.RedisCert == "" && c.RedisKey == "" {
		return nil
	}
	if opt.TLSConfig == nil {
		return errors.New("redis_ca, redis_cert and redis_key need an address with TLS: rediss://, rediss-sentinel:// or rediss-cluster://")
	}
	if c.RedisCA != "" {
		pem, err := os.ReadFile(c.RedisCA)
		if err != nil {
			return fmt.Errorf("redis_ca: %w", err)
		}
		opt.TLSConfig.RootCAs = x509.NewCertPool()
		if !opt.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("redis_ca: %s holds no certificate in PEM", c.RedisCA)
		}
	}
	if c.RedisCert == "" && c.RedisKey == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.RedisCert, c.RedisKey)
	if err != nil {
		return fmt.Errorf("redis_cert and redis_key: %w", err)
	}
	opt.TLSConfig.Certificates = []tls.Certificate{pair}
	return nil
}
