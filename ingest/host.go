package ingest

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A page of another site can give its name this server's address (DNS rebinding). The browser then
// takes the server for that site and lets the page read its answers, also on loopback, where no
// firewall helps. The Host header (RFC 9110, 7.2) still has the site's name, so a server that answers
// only to names of its own is safe.

// ownAddressesFor is how long the list of the machine's addresses counts, because a machine can move to
// another network.
const ownAddressesFor = 5 * time.Second

// Hosts knows by which names and addresses a listener is asked. It is safe for concurrent use.
type Hosts struct {
	any   bool
	names []string     // lower case
	fixed []netip.Addr // besides the machine's own
	now   func() time.Time
	list  func() ([]net.Addr, error)

	mu     sync.Mutex
	listed time.Time
	own    []netip.Addr
}

// newHosts are the hosts of the listener for clients.
func newHosts(cfg Config, publicIPs []string, now func() time.Time) *Hosts {
	h := NewHosts(cfg.Listen, cfg.Hosts, now)
	if u, err := url.Parse(cfg.PublicURL); err == nil {
		h.add(u.Host)
	}
	for _, entry := range publicIPs {
		public, _, _ := strings.Cut(entry, "/") // public/local
		h.add(public)
	}
	return h
}

// NewHosts are those of a listener at an address: loopback, the names and addresses of the machine and of the listener, and further
// names; "*" is any.
func NewHosts(listen string, further []string, now func() time.Time) *Hosts {
	h := &Hosts{any: slices.Contains(further, "*"), now: now, list: net.InterfaceAddrs}
	for _, name := range further {
		h.add(name)
	}
	if host, _, err := net.SplitHostPort(listen); err == nil {
		h.add(host)
	}
	if name, err := os.Hostname(); err == nil {
		h.add(name)
		short, _, _ := strings.Cut(name, ".")
		h.add(short)
		h.add(short + ".local")
	}
	return h
}

func (h *Hosts) add(host string) {
	name, addr := splitHost(host)
	if addr.IsValid() {
		h.fixed = append(h.fixed, addr)
	} else if name != "" {
		h.names = append(h.names, name)
	}
}

// splitHost reads a Host header, with or without a port, as an address or as a name in lower case.
func splitHost(host string) (name string, addr netip.Addr) {
	if h, port, err := net.SplitHostPort(host); err == nil && strings.Trim(port, "0123456789") == "" {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if a, err := netip.ParseAddr(host); err == nil {
		return "", a.Unmap().WithZone("")
	}
	return strings.ToLower(strings.TrimSuffix(host, ".")), netip.Addr{}
}

// ValidHost reports whether a configuration may list s as a host: a name or an address without scheme, port and path, or "*" for any.
func ValidHost(s string) bool {
	name, addr := splitHost(s)
	return s == "*" || addr.IsValid() || name != "" && name == strings.ToLower(s) && !strings.ContainsAny(s, "*/:@ ")
}

// IsLoopbackHost reports whether a Host header is a name or an address of loopback (RFC 6761, 6.3).
func IsLoopbackHost(host string) bool {
	name, addr := splitHost(host)
	return addr.IsLoopback() || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// Serves reports whether a request with this Host header is for this server. anyAddress admits every IP
// address. An empty one comes from programs of HTTP/1.0; browsers always send the header.
func (h *Hosts) Serves(host string, anyAddress bool) bool {
	if h.any || host == "" || IsLoopbackHost(host) {
		return true
	}
	name, addr := splitHost(host)
	if !addr.IsValid() {
		return slices.Contains(h.names, name)
	}
	return anyAddress || slices.Contains(h.fixed, addr) || h.isOwn(addr)
}

// isOwn reports whether the machine has this address.
func (h *Hosts) isOwn(addr netip.Addr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if age := h.now().Sub(h.listed); h.listed.IsZero() || age < 0 || age >= ownAddressesFor {
		h.own, h.listed = addressesOf(h.list), h.now()
	}
	return slices.Contains(h.own, addr)
}

func addressesOf(list func() ([]net.Addr, error)) (own []netip.Addr) {
	all, err := list()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, p.Addr().Unmap().WithZone(""))
		}
	}
	return own
}

// checkHost refuses requests for another host. Load balancers and Kubernetes probe the health routes by
// an address that may be any of the network's, and what these routes tell is no secret.
func (s *Server) checkHost(route string, r *http.Request) error {
	probe := route == "/healthz" || route == "/readyz"
	if s.hosts.Serves(r.Host, probe) {
		return nil
	}
	return problem(CodeHostUnknown, fmt.Sprintf("this server does not answer to the host %.100q; if clients reach it by that name, "+
		"its operator sets ingest.public_url to it, or adds it to ingest.hosts", r.Host))
}
