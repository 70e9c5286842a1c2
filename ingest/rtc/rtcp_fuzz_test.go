package rtc

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"

	"github.com/liveproof/liveproof"
)

// rtcpSeeds are packets of every kind that a sender may send, whole and damaged.
func rtcpSeeds(f *testing.F) {
	for _, p := range []rtcp.Packet{
		&rtcp.SenderReport{SSRC: 1, NTPTime: 2, RTPTime: 3, Reports: []rtcp.ReceptionReport{{SSRC: 4}}},
		&rtcp.ReceiverReport{SSRC: 1},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: 1, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "x"}}}}},
		&rtcp.Goodbye{Sources: []uint32{1}, Reason: "bye"},
		&rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: []rtcp.NackPair{{PacketID: 1, LostPackets: 0xffff}}},
		&rtcp.PictureLossIndication{MediaSSRC: 1},
		&rtcp.FullIntraRequest{MediaSSRC: 1, FIR: []rtcp.FIREntry{{SSRC: 1}}},
		&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: 1e6, SSRCs: []uint32{1}},
		&rtcp.TransportLayerCC{PacketStatusCount: 1, PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{RunLength: 1}}},
		&rtcp.ExtendedReport{SenderSSRC: 1, Reports: []rtcp.ReportBlock{&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: 1}}},
	} {
		raw, err := p.Marshal()
		if err != nil {
			continue
		}
		f.Add(raw)
		f.Add(raw[:len(raw)-1])
		long := append([]byte{}, raw...)
		binary.BigEndian.PutUint16(long[2:], 0xffff)
		f.Add(long)
	}
	f.Add([]byte{})
	f.Add([]byte{0x81, 200})
}

// FuzzRTCP feeds what a sender's RTCP holds, after decryption, to the interceptors of a peer.
func FuzzRTCP(f *testing.F) {
	rtcpSeeds(f)
	factory, err := newFeedbackFactory(DefaultConfig(), loggers{discard()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		feedback, err := factory.newFeedback(func([]rtcp.Packet) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		defer feedback.close()
		feedback.stream(1, &negotiated{losses: true}).ask(true)
		for range 2 {
			if n, _, err := feedback.control.Read(raw, interceptor.Attributes{}); err == nil && n != len(raw) {
				t.Fatalf("%d of %d bytes", n, len(raw))
			}
		}
	})
}

// rawRTCP is sent as it is.
type rawRTCP []byte

func (r rawRTCP) Marshal() ([]byte, error) { return r, nil }
func (rawRTCP) MarshalSize() int           { return 0 }
func (rawRTCP) Unmarshal([]byte) error     { return nil }
func (rawRTCP) DestinationSSRC() []uint32  { return nil }
func (r rawRTCP) Header() (h rtcp.Header)  { _ = h.Unmarshal(r); return h }
func (r rawRTCP) encryptable(media uint32) rawRTCP { // SRTCP's header names a source
	out := append(rawRTCP{}, r...)
	for len(out) < 8 {
		out = append(out, 0)
	}
	binary.BigEndian.PutUint32(out[4:], media)
	return out
}

// FuzzPeerRTCP sends arbitrary RTCP over a real connection, encrypted: the peer goes on, and its video too.
func FuzzPeerRTCP(f *testing.F) {
	rtcpSeeds(f)
	cfg := testConfig()
	cfg.MaxPacketRate, cfg.IdleTimeout = 1_000_000, 5*time.Minute
	c, p := dial(f, newTestAPI(f, cfg), clientOptions{})
	frames := encodedStream(f, liveproof.CodecVP8)
	c.play(frames, 30*time.Millisecond)
	v := fuzzVideo(f, p)
	go func() {
		for {
			if _, err := v.Next(context.Background()); err != nil {
				return
			}
		}
	}()
	media := uint32(c.pc.GetSenders()[0].GetParameters().Encodings[0].SSRC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 1200 {
			return
		}
		before := v.Stats().AccessUnits
		if err := c.pc.WriteRTCP([]rtcp.Packet{rawRTCP(raw).encryptable(media)}); err != nil {
			t.Skip(err)
		}
		for begin := time.Now(); v.Stats().AccessUnits == before; time.Sleep(time.Millisecond) {
			if err := p.Err(); err != nil {
				t.Fatalf("the peer ended: %v", err)
			}
			if time.Since(begin) > patience {
				t.Fatal("no video any more")
			}
		}
	})
}

func fuzzVideo(t testing.TB, p *Peer) *Video {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	v, err := p.Video(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
