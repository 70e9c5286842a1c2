package rtc

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"
)

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"udp_port: -1 is out of range":            func(c *Config) { c.UDPPort = -1 },
		"tcp_port: 65536 is out of range":         func(c *Config) { c.TCPPort = 65536 },
		"udp_buffer: 0 ":                          func(c *Config) { c.UDPBuffer = 0 },
		"tcp_connections: 0 ":                     func(c *Config) { c.TCPConnections = 0 },
		"queue_units: 0 ":                         func(c *Config) { c.QueueUnits = 0 },
		"queue_bytes: 1 ":                         func(c *Config) { c.QueueBytes = 1 },
		"max_unit_bytes: 1 ":                      func(c *Config) { c.MaxUnitBytes = 1 },
		"max_unit_packets: 1 ":                    func(c *Config) { c.MaxUnitPackets = 1 },
		"reorder_packets: 1 ":                     func(c *Config) { c.ReorderPackets = 1 },
		"max_packet_rate: 0 ":                     func(c *Config) { c.MaxPacketRate = 0 },
		"max_streams: 0 ":                         func(c *Config) { c.MaxStreams = 0 },
		"max_sdp_bytes: 1 ":                       func(c *Config) { c.MaxSDPBytes = 1 },
		"max_media_sections: 0 ":                  func(c *Config) { c.MaxMediaSections = 0 },
		"max_candidates: 0 ":                      func(c *Config) { c.MaxCandidates = 0 },
		"turn_ttl: 1s is out of range [1m0s, 48h": func(c *Config) { c.TURNTTL = time.Second },
		"reorder_time: 3s ":                       func(c *Config) { c.ReorderTime = 3 * time.Second },
		"nack_interval: 0s ":                      func(c *Config) { c.NACKInterval = 0 },
		"pli_interval: 1ms ":                      func(c *Config) { c.PLIInterval = time.Millisecond },
		"connect_timeout: 0s ":                    func(c *Config) { c.ConnectTimeout = 0 },
		"idle_timeout: 0s ":                       func(c *Config) { c.IdleTimeout = 0 },
		"disconnected_timeout: 0s ":               func(c *Config) { c.DisconnectedTimeout = 0 },
		"failed_timeout: 2m0s ":                   func(c *Config) { c.FailedTimeout = 2 * time.Minute },
		`public_ips: "example.org" is not an IP`:  func(c *Config) { c.PublicIPs = []string{"example.org"} },
		`public_ips: "x" is not an IP address`:    func(c *Config) { c.PublicIPs = []string{"192.0.2.1/x"} },
		"interfaces: an interface name is empty":  func(c *Config) { c.Interfaces = []string{" "} },
		`stun_urls: "turn:a" has the scheme`:      func(c *Config) { c.STUNURLs = []string{"turn:a"} },
		`turn_urls: "stun:a" has the scheme`:      func(c *Config) { c.TURNURLs = []string{"stun:a"} },
		`turn_urls: "http://a"`:                   func(c *Config) { c.TURNURLs = []string{"http://a"} },
		"turn_secret: is required":                func(c *Config) { c.TURNURLs = []string{"turn:a"} },
		"codecs: is empty":                        func(c *Config) { c.Codecs = nil },
		`codecs: "THEORA" is not`:                 func(c *Config) { c.Codecs = []liveproof.Codec{"THEORA"} },
		`codecs: "VP8" is listed twice`:           func(c *Config) { c.Codecs = []liveproof.Codec{"VP8", "VP8"} },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		err := cfg.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s…", err, want)
		}
	}
}

func TestConfigReportsEveryFault(t *testing.T) {
	cfg := DefaultConfig()
	cfg.UDPPort, cfg.TURNTTL, cfg.IdleTimeout = -1, 0, 0
	cfg.PublicIPs, cfg.TURNURLs, cfg.Codecs = []string{"x/y"}, []string{"turn:a", "stun:a"}, nil
	err := cfg.Validate()
	for _, fault := range []string{
		"udp_port: -1 ", "turn_ttl: 0s ", "idle_timeout: 0s ", `public_ips: "x" `, `public_ips: "y" `,
		`turn_urls: "stun:a" `, "turn_secret: is required", "codecs: is empty",
	} {
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is missing in %v", fault, err)
		}
	}
}

func TestConfigSurvivesYAML(t *testing.T) {
	cfg := DefaultConfig()
	text, err := yaml.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var back Config
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&back); err != nil {
		t.Fatal(err)
	}
	if again, _ := yaml.Marshal(back); string(again) != string(text) {
		t.Fatalf("%s\nbecame\n%s", text, again)
	}
}

// TestTURNCredentials: the password was made with openssl:
// printf %s 1700003600:01TEST | openssl dgst -sha1 -hmac north -binary | base64
func TestTURNCredentials(t *testing.T) {
	cfg := testConfig()
	cfg.STUNURLs, cfg.TURNURLs = []string{"stun:stun.example.org:3478"}, []string{"turn:turn.example.org:3478?transport=udp"}
	cfg.TURNSecret, cfg.TURNTTL = "north", time.Hour
	servers := newTestAPI(t, cfg).ICEServers("01TEST", time.Unix(1700000000, 0))
	if len(servers) != 2 || servers[0].Username != "" || servers[1].Username != "1700003600:01TEST" || servers[1].Credential != "vgZwrG4BsnATtxAduup7iuv5A6Q=" {
		t.Fatalf("%+v", servers)
	}
	if servers := newTestAPI(t, testConfig()).ICEServers("01TEST", time.Unix(0, 0)); servers == nil || len(servers) != 0 {
		t.Fatalf("%+v", servers)
	}
}

func TestPublicAddressesReplaceLocalOnes(t *testing.T) {
	local := []net.IP{net.ParseIP("10.0.0.5"), net.ParseIP("10.0.0.6"), net.ParseIP("2001:db8::5"), net.ParseIP("127.0.0.1")}
	rules := publicAddresses([]string{"203.0.113.7", "203.0.113.8/10.0.0.6"}, local)
	got := map[string]string{}
	for _, r := range rules {
		got[r.Local] = strings.Join(r.External, " ")
	}
	if len(got) != 2 || got["10.0.0.5"] != "203.0.113.7" || got["10.0.0.6"] != "203.0.113.7 203.0.113.8" {
		t.Fatalf("%v", got)
	}
}

// TestPublicAddressIsOffered: the answer of a server behind NAT names the public address and not the local one.
func TestPublicAddressIsOffered(t *testing.T) {
	cfg := testConfig()
	cfg.Interfaces, cfg.IncludeLoopback, cfg.PublicIPs = nil, false, []string{"203.0.113.7"}
	ips, err := localIPs(cfg)
	if err != nil || len(ips) == 0 {
		t.Skipf("no network interface but loopback: %v", err)
	}
	answer, err := answerTo(t, cfg, crlf(chromeOffer))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, a := range answer.MediaDescriptions[0].Attributes {
		if fields := strings.Fields(a.Value); a.Key == "candidate" && !strings.Contains(fields[4], ":") {
			seen[fields[2]+" "+fields[4]] = true
		}
	}
	if len(seen) != 2 || !seen["udp 203.0.113.7"] || !seen["tcp 203.0.113.7"] {
		t.Fatalf("candidates %v", seen)
	}
}

func TestNewRefuses(t *testing.T) {
	cfg := testConfig()
	cfg.QueueUnits = 0
	if _, err := New(cfg, nil, nil); err == nil {
		t.Error("a bad configuration is taken")
	}
	reg := prometheus.NewRegistry()
	first, err := New(testConfig(), discard(), reg)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := New(testConfig(), discard(), reg); err == nil {
		t.Error("metrics registered twice")
	}
	cfg = testConfig()
	cfg.UDPPort = first.UDPAddr().Port
	if _, err := New(cfg, discard(), nil); err == nil || !strings.HasPrefix(err.Error(), "udp_port: ") {
		t.Errorf("a taken UDP port: %v", err)
	}
	cfg = testConfig()
	cfg.TCPPort = first.TCPAddr().Port
	if _, err := New(cfg, discard(), nil); err == nil || !strings.HasPrefix(err.Error(), "tcp_port: ") {
		t.Errorf("a taken TCP port: %v", err)
	}
	cfg = testConfig()
	cfg.TCPPort = -1
	without, err := New(cfg, discard(), nil)
	if err != nil || without.TCPAddr() != nil {
		t.Fatalf("without TCP: %v", err)
	}
	_ = without.Close()
}
