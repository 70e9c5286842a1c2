package media

import (
	"reflect"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"
)

// TestPacketLayout checks the field that rawPacket reads.
func TestPacketLayout(t *testing.T) {
	packet := reflect.TypeFor[astiav.Packet]()
	require.Equal(t, 1, packet.NumField())
	require.Equal(t, "*astiav._Ctype_struct_AVPacket", packet.Field(0).Type.String())
}
