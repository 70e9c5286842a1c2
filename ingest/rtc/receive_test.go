package rtc

import (
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
)

// TestOrientationByte is every value of 0000CFRR (3GPP TS 26.114, 7.4.5), as an RTP header extension.
func TestOrientationByte(t *testing.T) {
	const id = 4
	for value := range byte(16) {
		sent := rtp.Packet{Header: rtp.Header{Version: 2}, Payload: []byte{1}}
		require.NoError(t, sent.SetExtension(id, []byte{value}))
		raw, err := sent.Marshal()
		require.NoError(t, err)
		s := streams{}
		require.NoError(t, s.packet.Unmarshal(raw))
		rotation, mirrored := s.orientation(id)
		require.Equal(t, []int{0, 90, 180, 270}[value&3], rotation, "%04b", value)
		require.Equal(t, value&4 != 0, mirrored, "%04b", value)
		rotation, _ = s.orientation(id + 1)
		require.Equal(t, noRotation, rotation, "the packet does not say")
	}
}
