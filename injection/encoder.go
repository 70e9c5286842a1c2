package injection

import (
	"bytes"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

const (
	// gopLeast is how many intervals between key frames that nobody asked for must be alike to be a rule.
	gopLeast = 3
	// gopKept bounds the intervals that are remembered.
	gopKept = 8
)

// x264UUID begins the message by which x264 names itself (x264, encoder/set.c: user_data_unregistered).
var x264UUID = []byte{0xdc, 0x45, 0xe9, 0xbd, 0xe6, 0xd9, 0x48, 0xb7, 0x96, 0x2c, 0xd8, 0x20, 0xd9, 0x23, 0xee, 0xef}

// encoder is what the bitstream says about the one that made it.
type encoder struct {
	units, bidirectional int
	x264                 bool
	requests             int64 // key frame requests that the server had made at the newest key frame
	sinceKey             int   // units since the newest key frame; 0 before the first
	intervals            []int // between key frames that nobody asked for, newest last
}

// observe takes the next unit; requests counts the key frames that the server has asked for so far.
func (e *encoder) observe(u *liveproof.AccessUnit, requests int64) {
	e.units++
	if u.Codec == liveproof.CodecH264 {
		seen := codecs.InspectH264(u.Data)
		e.bidirectional += int(indicator(seen.Bidirectional))
		e.x264 = e.x264 || bytes.HasPrefix(seen.UserData, x264UUID)
	}
	if !u.Key {
		e.sinceKey += int(indicator(e.sinceKey > 0))
		return
	}
	if e.sinceKey > 0 && requests == e.requests && !u.Gap {
		e.intervals = append(e.intervals, e.sinceKey)
		e.intervals = e.intervals[max(0, len(e.intervals)-gopKept):]
	}
	e.requests, e.sinceKey = requests, 1
}

// periodic reports whether key frames come at equal distances although nobody asks for them.
func (e *encoder) periodic() bool {
	if len(e.intervals) < gopLeast {
		return false
	}
	for _, n := range e.intervals {
		if d := n - e.intervals[0]; d < -1 || d > 1 {
			return false
		}
	}
	return true
}

// reordered is the share of units with B slices.
func (e *encoder) reordered() float64 { return float64(e.bidirectional) / float64(max(e.units, 1)) }
