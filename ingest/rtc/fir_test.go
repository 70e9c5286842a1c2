package rtc

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/liveproof/liveproof"
)

// TestFIRAfterUnansweredPLIs: a sender that does not answer PLI is asked by FIR too, if it takes that, until it
// answers.
func TestFIRAfterUnansweredPLIs(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	cfg := testConfig()
	cfg.PLIInterval = 100 * time.Millisecond
	for name, takes := range map[string]bool{"negotiated": true, "not negotiated": false} {
		t.Run(name, func(t *testing.T) {
			c, p := dial(t, newTestAPI(t, cfg), clientOptions{offer: func(offer string) string {
				if takes {
					return offer
				}
				return strings.ReplaceAll(offer, " ccm fir", " x-none")
			}})
			send := func(f frame) {
				if err := c.track.WriteSample(media.Sample{Data: f.data, Duration: time.Second / 30}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Millisecond)
			}
			for began := time.Now(); c.pli.Load() < 5; {
				send(frames[1])
				if time.Since(began) > patience {
					t.Fatalf("%d PLI", c.pli.Load())
				}
			}
			asked, pli := c.fir.Load(), c.pli.Load()
			if takes && (asked < pli-unansweredPLIs-1 || asked > pli-unansweredPLIs+1 || c.command.Load() != asked) || !takes && asked != 0 {
				t.Fatalf("%d PLI, %d FIR, the newest has number %d", pli, asked, c.command.Load())
			}
			send(frames[0])
			if u := next(t, video(t, p)); !u.Key || video(t, p).unanswered.Load() != 0 {
				t.Fatal("the key frame is no answer")
			}
		})
	}
}

// TestParameterSetsOfTheOffer: H.264 without parameter sets among its packets is received where the offer has them.
func TestParameterSetsOfTheOffer(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecH264)
	var sets []string
	var bare [][]byte
	for _, nal := range bytes.Split(frames[0].data, []byte{0, 0, 0, 1})[1:] {
		if kind := nal[0] & 0x1f; kind == 7 || kind == 8 {
			sets = append(sets, base64.StdEncoding.EncodeToString(nal))
		} else if kind == 5 {
			bare = append(bare, nal)
		}
	}
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{codec: liveproof.CodecH264, offer: func(offer string) string {
		return strings.ReplaceAll(offer, ";packetization-mode=1", ";packetization-mode=1;sprop-parameter-sets="+strings.Join(sets, ","))
	}})
	c.play([]frame{{data: annexBOf(bare...)}}, 10*time.Millisecond)
	if u := next(t, video(t, p)); !u.Key || !bytes.HasSuffix(u.Data, annexBOf(bare...)) || len(u.Data) == len(annexBOf(bare...)) {
		t.Fatalf("%d bytes, key %v", len(u.Data), u.Key)
	}
}
