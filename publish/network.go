package publish

import (
	"errors"
	"time"

	"github.com/pion/webrtc/v4"
)

// Network is what happens to the packets that a publisher sends. The zero value sends them as they are.
type Network struct {
	Loss      float64       // share of packets that are lost, [0, 1]
	Jitter    time.Duration // ≥ 0
	Delay     time.Duration // ≥ 0
	Bandwidth int           // bit/s; 0: unlimited
	Seed      uint64        // of the random numbers
}

// settings makes a peer connection use the network.
func (n *Network) settings(*webrtc.SettingEngine) error {
	if n.Loss == 0 && n.Jitter == 0 && n.Delay == 0 && n.Bandwidth == 0 {
		return nil
	}
	return errors.New("an impaired network is not built yet")
}
