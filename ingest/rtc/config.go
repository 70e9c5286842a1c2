package rtc

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pion/stun/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/internal/codecs"
)

// Config of the WebRTC side. DefaultConfig gives the values a server without a
// configuration file runs with.
type Config struct {
	// UDPPort is the one UDP port of all sessions, [0, 65535]; 0 takes any free one.
	UDPPort int `yaml:"udp_port"`
	// TCPPort is the one TCP port of the ICE-TCP fallback (RFC 6544, passive),
	// [-1, 65535]; 0 takes any free one, -1 switches ICE-TCP off.
	TCPPort int `yaml:"tcp_port"`
	// PublicIPs are advertised in place of the host's own addresses, for a
	// server behind a 1:1 NAT: "203.0.113.7", or "203.0.113.7/10.0.0.5" for
	// one local address.
	PublicIPs []string `yaml:"public_ips"`
	// Bind says on which addresses media is received over UDP and TCP: all, loopback or auto. auto is loopback when
	// ingest.listen is a loopback address and none of ingest.public_url, public_ips and interfaces is set;
	// otherwise it is all. Firefox connects to loopback only with one of its
	// preferences, see docs/clients.md.
	Bind Bind `yaml:"bind"`
	// IncludeLoopback offers 127.0.0.1 and ::1 too, for a browser on the same machine.
	IncludeLoopback bool `yaml:"include_loopback"`
	// Interfaces limits media to these network interfaces; empty takes all.
	Interfaces []string `yaml:"interfaces"`
	// AllowCandidates are networks (CIDRs) of special-purpose addresses that are accepted as remote candidates,
	// such as 169.254.0.0/16 or fe80::/10 for a lab without DHCP. All other link-local, metadata-service and similar
	// addresses are refused. An entry does not allow a special range that is narrower than the entry itself:
	// 169.254.0.0/16 does not include the metadata service, 169.254.169.254/32.
	AllowCandidates []string `yaml:"allow_candidates"`
	// UDPBuffer is the size in bytes asked for each socket's kernel buffers, [64 KiB, 64 MiB].
	UDPBuffer int `yaml:"udp_buffer"`
	// TCPConnections caps the ICE-TCP connections of the whole process, [1, 65536]; more are closed at once.
	TCPConnections int `yaml:"tcp_connections"`

	// STUNURLs and TURNURLs are handed to the clients ("stun:host:port",
	// "turn:host:port?transport=udp"). The server itself needs neither: it is
	// reached at its own address or at PublicIPs.
	STUNURLs []string `yaml:"stun_urls"`
	TURNURLs []string `yaml:"turn_urls"`
	// TURNSecret is shared with the TURN server (coturn: use-auth-secret,
	// static-auth-secret); it is required with TURNURLs.
	TURNSecret string `yaml:"turn_secret"`
	// TURNTTL is how long a client's TURN credential can be used, [1m, 48h].
	TURNTTL time.Duration `yaml:"turn_ttl"`

	// Codecs are accepted, in this order of preference.
	Codecs []liveproof.Codec `yaml:"codecs"`

	// QueueUnits and QueueBytes bound the access units that wait for the
	// decoder: [1, 1000] and [MaxUnitBytes, 256 MiB].
	QueueUnits int `yaml:"queue_units"`
	QueueBytes int `yaml:"queue_bytes"`
	// MaxUnitBytes and MaxUnitPackets cap one access unit: [64 KiB, 64 MiB] and [16, 65536].
	MaxUnitBytes   int `yaml:"max_unit_bytes"`
	MaxUnitPackets int `yaml:"max_unit_packets"`
	// ReorderPackets and ReorderTime bound how long packets wait for a missing
	// one (reordering, retransmission): [16, 4096] and [10ms, 2s].
	ReorderPackets int           `yaml:"reorder_packets"`
	ReorderTime    time.Duration `yaml:"reorder_time"`
	// NACKInterval is how often missing packets are asked for, [10ms, 1s].
	NACKInterval time.Duration `yaml:"nack_interval"`
	// PLIInterval is the least time between two key frame requests to one sender, [100ms, 10s].
	PLIInterval time.Duration `yaml:"pli_interval"`

	// MaxPacketRate is the packets a second above which a peer is closed, [100, 1000000].
	MaxPacketRate int `yaml:"max_packet_rate"`
	// MaxStreams caps the RTP streams (SSRCs) of a peer, retransmission and ignored tracks included, [4, 256].
	MaxStreams int `yaml:"max_streams"`

	// ConnectTimeout is the longest time from NewPeer to a connection (ICE and
	// DTLS), [1s, 5m]. Its key is session.connect_timeout.
	ConnectTimeout time.Duration `yaml:"-"`
	// IdleTimeout is the longest time without a media packet, [1s, 5m]. Its key is
	// session.idle_timeout.
	IdleTimeout time.Duration `yaml:"-"`
	// DisconnectedTimeout is how long a peer may be silent before it counts as
	// disconnected, FailedTimeout how much longer before it counts as lost:
	// [500ms, 1m] each.
	DisconnectedTimeout time.Duration `yaml:"disconnected_timeout"`
	FailedTimeout       time.Duration `yaml:"failed_timeout"`

	// MaxSDPBytes caps an offer and a trickle fragment, [4 KiB, 1 MiB].
	MaxSDPBytes int `yaml:"max_sdp_bytes"`
	// MaxMediaSections caps the m= sections of an offer, [1, 64].
	MaxMediaSections int `yaml:"max_media_sections"`
	// MaxCandidates caps a peer's remote candidates, those of the offer included, [1, 1024]; each ICE restart starts the count again.
	MaxCandidates int `yaml:"max_candidates"`
}

// Bind says on which of the host's addresses media is received.
type Bind string

// The values of Bind. The caller resolves BindAuto, which depends on other sections; this package treats it as BindAll.
const (
	BindAuto     Bind = "auto"
	BindAll      Bind = "all"
	BindLoopback Bind = "loopback"
)

// usesLoopback reports whether the server receives media on loopback.
func (c Config) usesLoopback() bool { return c.IncludeLoopback || c.Bind == BindLoopback }

// limited reports whether media is received on some of the host's addresses only.
func (c Config) limited() bool { return len(c.Interfaces) > 0 || c.Bind == BindLoopback }

// DefaultConfig is the configuration of a server without a configuration file.
func DefaultConfig() Config {
	return Config{
		UDPPort:             8443,
		TCPPort:             8443,
		PublicIPs:           []string{},
		Bind:                BindAuto,
		IncludeLoopback:     true,
		Interfaces:          []string{},
		AllowCandidates:     []string{},
		UDPBuffer:           4 << 20,
		TCPConnections:      1024,
		STUNURLs:            []string{},
		TURNURLs:            []string{},
		TURNTTL:             time.Hour,
		Codecs:              codecs.Names(),
		QueueUnits:          60,
		QueueBytes:          4 << 20,
		MaxUnitBytes:        2 << 20,
		MaxUnitPackets:      2048,
		ReorderPackets:      512,
		ReorderTime:         300 * time.Millisecond,
		NACKInterval:        50 * time.Millisecond,
		PLIInterval:         500 * time.Millisecond,
		MaxPacketRate:       10000,
		MaxStreams:          32,
		ConnectTimeout:      15 * time.Second,
		IdleTimeout:         10 * time.Second,
		DisconnectedTimeout: 5 * time.Second,
		FailedTimeout:       5 * time.Second,
		MaxSDPBytes:         64 << 10,
		MaxMediaSections:    16,
		MaxCandidates:       64,
	}
}

// Validate reports every value that cannot be used; each error begins with its key.
func (c Config) Validate() error {
	return errors.Join(c.validateNumbers(), c.validateDurations(), c.validateAddresses(), c.validateServers(), c.validateCodecs())
}

func (c Config) validateNumbers() error {
	return errors.Join(
		check.In("udp_port", c.UDPPort, 0, 65535),
		check.In("tcp_port", c.TCPPort, -1, 65535),
		check.In("udp_buffer", c.UDPBuffer, 64<<10, 64<<20),
		check.In("tcp_connections", c.TCPConnections, 1, 65536),
		check.In("queue_units", c.QueueUnits, 1, 1000),
		check.In("queue_bytes", c.QueueBytes, c.MaxUnitBytes, 256<<20),
		check.In("max_unit_bytes", c.MaxUnitBytes, 64<<10, 64<<20),
		check.In("max_unit_packets", c.MaxUnitPackets, 16, 65536),
		check.In("reorder_packets", c.ReorderPackets, 16, 4096),
		check.In("max_packet_rate", c.MaxPacketRate, 100, 1000000),
		check.In("max_streams", c.MaxStreams, 4, 256),
		check.In("max_sdp_bytes", c.MaxSDPBytes, 4<<10, 1<<20),
		check.In("max_media_sections", c.MaxMediaSections, 1, 64),
		check.In("max_candidates", c.MaxCandidates, 1, 1024),
	)
}

func (c Config) validateDurations() error {
	return errors.Join(
		check.In("turn_ttl", c.TURNTTL, time.Minute, 48*time.Hour),
		check.In("reorder_time", c.ReorderTime, 10*time.Millisecond, 2*time.Second),
		check.In("nack_interval", c.NACKInterval, 10*time.Millisecond, time.Second),
		check.In("pli_interval", c.PLIInterval, 100*time.Millisecond, 10*time.Second),
		check.In("connect_timeout", c.ConnectTimeout, time.Second, 5*time.Minute),
		check.In("idle_timeout", c.IdleTimeout, time.Second, 5*time.Minute),
		check.In("disconnected_timeout", c.DisconnectedTimeout, 500*time.Millisecond, time.Minute),
		check.In("failed_timeout", c.FailedTimeout, 500*time.Millisecond, time.Minute),
	)
}

func (c Config) validateAddresses() error {
	errs := []error{check.OneOf("bind", string(c.Bind), string(BindAuto), string(BindAll), string(BindLoopback)), c.validateRemote()}
	for _, entry := range c.PublicIPs {
		public, local, paired := strings.Cut(entry, "/")
		errs = append(errs, checkIP(public))
		if paired {
			errs = append(errs, checkIP(local))
		}
	}
	for _, name := range c.Interfaces {
		errs = append(errs, check.That("interfaces", strings.TrimSpace(name) != "", "an interface name is empty"))
	}
	return errors.Join(errs...)
}

func checkIP(text string) error {
	_, err := netip.ParseAddr(text)
	return check.That("public_ips", err == nil, "%q is not an IP address", text)
}

func (c Config) validateServers() error {
	return errors.Join(
		checkURLs("stun_urls", c.STUNURLs, stun.SchemeTypeSTUN, stun.SchemeTypeSTUNS),
		checkURLs("turn_urls", c.TURNURLs, stun.SchemeTypeTURN, stun.SchemeTypeTURNS),
		check.That("turn_secret", len(c.TURNURLs) == 0 || c.TURNSecret != "", "is required with turn_urls"),
	)
}

func checkURLs(key string, urls []string, schemes ...stun.SchemeType) error {
	var errs []error
	for _, raw := range urls {
		uri, err := stun.ParseURI(raw)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %q: %w", key, raw, err))
			continue
		}
		errs = append(errs, check.That(key, slices.Contains(schemes, uri.Scheme), "%q has the scheme %s", raw, uri.Scheme))
	}
	return errors.Join(errs...)
}

func (c Config) validateCodecs() error {
	errs := []error{check.That("codecs", len(c.Codecs) > 0, "is empty")}
	for i, codec := range c.Codecs {
		known := codecs.Names()
		errs = append(errs,
			check.That("codecs", slices.Contains(known, codec), "%q is not one of %v", codec, known),
			check.That("codecs", !slices.Contains(c.Codecs[:i], codec), "%q is listed twice", codec))
	}
	return errors.Join(errs...)
}
