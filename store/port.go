package store

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// Port is the TCP port of Redis, 1…65535; 0 where nothing is connected to: sessions are in memory, or Redis is at a Unix socket. known is
// false where Redis itself names further servers, whose ports nobody can know beforehand.
func (c Config) Port() (port uint16, known bool, err error) {
	scheme, _, _ := strings.Cut(c.Redis, "://")
	switch scheme {
	case "", "unix":
		return 0, true, nil
	case "redis", "rediss":
	default:
		return 0, false, nil
	}
	u, err := url.Parse(c.Redis)
	if err != nil {
		return 0, false, errors.New("not an address such as redis://host:6379/0") // without the URL, which may hold a password
	}
	if u.Port() == "" {
		return 6379, true, nil
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return uint16(n), err == nil, err
}
