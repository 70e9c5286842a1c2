package publish

import (
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof/internal/check"
)

// Network is an impaired path between one publisher and the server. Every UDP packet that the publisher sends or
// receives passes through it; HTTP does not. The zero value impairs nothing.
type Network struct {
	// Loss is the share of packets that are lost, in [0,1], in each direction.
	Loss float64
	// Burst is the mean number of packets that are lost in a row, at most 1000. Up to 1, each packet is lost or not
	// whatever happened to the one before it. Above 1, losses follow Gilbert's model (Capacity of a burst-noise
	// channel, 1960): a chain of a good state, in which no packet is lost, and a bad one, in which every packet is.
	Burst float64
	// Delay is how long every packet is under way, in [0, 10 s], in each direction.
	Delay time.Duration
	// Jitter is the largest additional delay, in [0, 10 s]. Each packet gets its own, uniform between 0 and Jitter,
	// so a packet may overtake others.
	Jitter time.Duration
	// Bandwidth is what the publisher can send in bit/s, with the headers of UDP and IP; 0: without limit. Packets
	// wait in a queue of 200 ms; a packet that finds it full is lost.
	Bandwidth int
	// Seed chooses which packets are lost and how long each is delayed. Publishers that share a seed lose the same
	// packets, counted from the first one.
	Seed uint64
}

// Limits of a Network.
const (
	maxDelay = 10 * time.Second
	maxBurst = 1000
	// minBandwidth lets a packet of 1500 bytes pass in a second; ICE and DTLS would not succeed with less.
	minBandwidth = 12_000
)

// Validate reports every value that is out of range; each error begins with its name.
func (n Network) Validate() error {
	return errors.Join(
		check.In("loss", n.Loss, 0, 1),
		check.In("burst", n.Burst, 0, maxBurst),
		check.That("burst", n.Burst <= 1 || n.Loss <= n.Burst/(n.Burst+1),
			"with %v packets in a row no more than %v of all can be lost: raise burst or lower loss", n.Burst, n.Burst/(n.Burst+1)),
		check.In("delay", n.Delay, 0, maxDelay),
		check.In("jitter", n.Jitter, 0, maxDelay),
		check.That("bandwidth", n.Bandwidth == 0 || n.Bandwidth >= minBandwidth, "%d is neither 0 nor at least %d bit/s", n.Bandwidth, minBandwidth),
	)
}

// Impairs reports whether the network changes anything.
func (n Network) Impairs() bool {
	n.Seed = 0
	n.Burst = 0
	return n != Network{}
}

// Of is the network of one of several publishers: as bad, with losses of its own. Of of no network is none.
func (n *Network) Of(publisher uint64) *Network {
	if n == nil {
		return nil
	}
	own := *n
	own.Seed = rand.NewPCG(n.Seed, publisher).Uint64()
	return &own
}

// settings makes a peer connection with these settings use the network. The settings are for one peer connection, as its
// sockets share the bandwidth.
func (n Network) settings(s *webrtc.SettingEngine) error {
	if err := n.Validate(); err != nil || !n.Impairs() {
		return err
	}
	sockets, err := stdnet.NewNet()
	if err == nil {
		s.SetNet(n.impair(sockets))
	}
	return err
}

// impair makes the sockets of a network without impairments pass on their packets as this network does.
func (n Network) impair(clean transport.Net) transport.Net {
	up, down := newLine(n, 0), newLine(n, 1)
	down.Bandwidth = 0
	return impairedNet{clean, up, down}
}

// impairedNet impairs UDP sockets that are bound and not connected, as those of ICE candidates are.
type impairedNet struct {
	transport.Net
	up, down *line
}

func (n impairedNet) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, at)
	if err != nil || at != nil && at.IP.IsMulticast() { // multicast DNS, which needs a *net.UDPConn
		return conn, err
	}
	return newImpairedConn(conn, n.up, n.down), nil
}

func (n impairedNet) ListenPacket(network, at string) (net.PacketConn, error) {
	conn, err := n.Net.ListenPacket(network, at)
	if udp, ok := conn.(transport.UDPConn); ok && err == nil {
		return newImpairedConn(udp, n.up, n.down), nil
	}
	return conn, err
}
