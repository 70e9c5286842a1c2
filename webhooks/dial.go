package webhooks

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/liveproof/liveproof/internal/addresses"
)

// refusePrivate sees the address that a name resolved to, when the connection is made: what the name resolved to before does not count
// (DNS rebinding).
func refusePrivate(_, address string, _ syscall.RawConn) error {
	peer, err := netip.ParseAddrPort(address)
	if err != nil || !addresses.Public(peer.Addr()) {
		return fmt.Errorf("%s is not a public address; webhooks.allow_private permits it", address)
	}
	return nil
}

// newClient follows no redirects and uses no proxy, because either would lead elsewhere.
func newClient(cfg Config) *http.Client {
	dialer := net.Dialer{Timeout: cfg.Timeout, KeepAlive: time.Minute}
	if !cfg.AllowPrivate {
		dialer.Control = refusePrivate
	}
	return &http.Client{
		Timeout: cfg.Timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: cfg.Timeout, ResponseHeaderTimeout: cfg.Timeout,
			IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: workers, MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
