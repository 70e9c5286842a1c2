package codecs

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecoveryPointMessages(t *testing.T) {
	long := append([]byte{0x06, 0x05, 0xff, 0x2d}, bytes.Repeat([]byte{7}, 255+0x2d)...) // user data of 300 bytes
	for name, c := range map[string]struct {
		nal  []byte
		want recoveryPoint
		ok   bool
	}{
		"x264's":                     {[]byte{0x06, 0x06, 0x02, 0x0a, 0x44, 0x80}, recoveryPoint{19, true, false}, true},
		"at once":                    {recoveryHere[4:], recoveryPoint{0, true, false}, true},
		"similar":                    {[]byte{0x06, 0x06, 0x01, 0x84, 0x80}, recoveryPoint{0, false, false}, true},
		"broken link":                {[]byte{0x06, 0x06, 0x01, 0xe4, 0x80}, recoveryPoint{0, true, true}, true},
		"behind another message":     {[]byte{0x06, 0x05, 0x01, 0x55, 0x06, 0x01, 0xc4, 0x80}, recoveryPoint{0, true, false}, true},
		"behind a long message":      {append(bytes.Clone(long), 0x06, 0x01, 0xc4, 0x80), recoveryPoint{0, true, false}, true},
		"behind escaped bytes":       {[]byte{0x06, 0x05, 0x03, 0x00, 0x00, 0x03, 0x01, 0x06, 0x01, 0xc4, 0x80}, recoveryPoint{0, true, false}, true},
		"user data that looks alike": {[]byte{0x06, 0x05, 0x03, 0x06, 0x01, 0xc4, 0x80}, recoveryPoint{}, false},
		"a type above 255":           {[]byte{0x06, 0xff, 0x06, 0x01, 0xc4, 0x80}, recoveryPoint{}, false},
		"cut":                        {[]byte{0x06, 0x06, 0x02, 0x0a}, recoveryPoint{}, false},
		"empty message":              {[]byte{0x06, 0x06, 0x00, 0x80}, recoveryPoint{}, false},
		"size beyond the unit":       {[]byte{0x06, 0x05, 0xff, 0xff, 0x06, 0x01, 0xc4}, recoveryPoint{}, false},
		"nothing":                    {[]byte{0x06}, recoveryPoint{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := findRecoveryPoint(c.nal)
			require.Equal(t, c.ok, ok)
			if ok {
				require.Equal(t, c.want, got)
			}
		})
	}
	require.False(t, recoveryPoint{pictures: maxRecovery + 1, exact: true}.usable(), "nobody waits so long")
}

// TestRecoveryFollowsReferencePictures: each letter is an access unit: I an IDR picture, r a recovery point after two pictures,
// n one at once, s one at once with similar pictures, p a reference picture, q a picture that is no reference, b a B picture. + is
// exact, - is not, * is exact with all that follow.
func TestRecoveryFollowsReferencePictures(t *testing.T) {
	// first_mb_in_slice 0, then slice_type: 5 (P) 00110, 1 (B) 010, 7 (I) 0001000.
	slice := func(header, rest byte) []byte { return []byte{0, 0, 1, header, 0x80 | rest, 0x10} }
	message := func(payload byte) []byte {
		return append([]byte{0, 0, 1, 0x06, 0x06, 1, payload, 0x80}, slice(0x41, 0x18)...)
	}
	units := map[rune][]byte{
		'I': slice(0x65, 0x08), 'p': slice(0x41, 0x18), 'q': slice(0x01, 0x18), 'b': slice(0x01, 0x20),
		'r': message(0x71), 'n': message(0xc4), 's': message(0x84),
	}
	for sent, want := range map[string]string{
		"I":       "*",
		"p":       "+",
		"rppp":    "--+*",
		"rqqppp":  "----+*",
		"rbpbpbp": "----+-*",
		"np":      "+*",
		"nbbp":    "+--*",
		"rspp":    "--+*",
		"rnp":     "-+*",
		"rrpp":    "--+*",
		"rI":      "-*",
	} {
		t.Run(sent, func(t *testing.T) {
			r := &h264Recovery{}
			got := ""
			for _, kind := range sent {
				exact, done := r.Next(units[kind])
				switch {
				case done:
					got += "*"
				case exact:
					got += "+"
				default:
					got += "-"
				}
			}
			require.Equal(t, want, got)
		})
	}
}

func TestSetsOfOneIDReplaceEachOther(t *testing.T) {
	spsA := []byte{0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6}
	spsB := []byte{0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf7}
	pps0, pps0b, pps1 := []byte{0x68, 0xce, 0x0f}, []byte{0x68, 0xce, 0x1f}, []byte{0x68, 0x4e, 0x0f}
	var s h264Sets
	for _, nal := range [][]byte{pps0, spsA, pps1, pps0, spsB, pps0b} {
		s.keep(nal)
	}
	require.Equal(t, bytes.Join([][]byte{{}, spsB, pps1, pps0b}, []byte{0, 0, 0, 1}), s.Prepend(nil))
	require.True(t, s.complete())
}

func TestParameterSetsOfSDP(t *testing.T) {
	sps, pps := []byte{0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6}, []byte{0x68, 0xce, 0x0f, 0xc8}
	text := base64.StdEncoding.EncodeToString(sps) + "," + base64.StdEncoding.EncodeToString(pps)
	for fmtp, want := range map[string][][]byte{
		"": nil, "packetization-mode=1": nil,
		"packetization-mode=1;sprop-parameter-sets=" + text + ";profile-level-id=42c01e": {sps, pps},
		"packetization-mode=1; Sprop-Parameter-Sets = " + text:                           {sps, pps},
		"sprop-parameter-sets=!!!," + text:                                               {sps, pps},
		"sprop-parameter-sets=":                                                          nil,
		"sprop-parameter-sets=ZQ==,,":                                                    nil, // no parameter set
		"x-sprop-parameter-sets=" + text:                                                 nil,
	} {
		require.Equal(t, want, spropParameterSets(fmtp), fmtp)
	}
}

func FuzzRecoveryPoint(f *testing.F) {
	f.Add([]byte{0x06, 0x06, 0x02, 0x0a, 0x44, 0x80})
	f.Add([]byte{0x06, 0x05, 0x03, 0x00, 0x00, 0x03, 0x01, 0x06, 0x01, 0xc4, 0x80})
	f.Add(bytes.Repeat([]byte{0xff}, 100))
	f.Fuzz(func(t *testing.T, nal []byte) {
		if len(nal) == 0 {
			return
		}
		if point, ok := findRecoveryPoint(nal); ok && !bytes.Contains(nal[1:], []byte{seiRecoveryPoint}) {
			t.Fatalf("%+v without its payload type", point)
		}
		unit := append([]byte{0, 0, 1}, nal...)
		r := &h264Recovery{}
		for range maxRecovery + 2 { // references without a message
			exact, _ := r.Next(unit)
			if exact {
				return
			}
			unit = []byte{0, 0, 1, 0x41, 0x9a}
		}
		t.Fatal("never exact")
	})
}

func FuzzParameterSetsOfSDP(f *testing.F) {
	f.Add("packetization-mode=1;sprop-parameter-sets=Z0LAHtoCgPY=,aM4PyA==", []byte{0x65, 0x88})
	f.Add("sprop-parameter-sets=,,;;=", []byte{0x06})
	f.Fuzz(func(t *testing.T, fmtp string, payload []byte) {
		d := newH264Depacketizer(fmtp)
		d.Reset()
		if len(payload) == 0 {
			return
		}
		d.Starts(payload)
		if d.Add(payload) != nil {
			return
		}
		u, err := d.Finish(nil)
		if err == nil && len(u.Data) > 5*len(payload)+2*maxParameterSets+len(recoveryHere) {
			t.Fatalf("%d bytes of %d", len(u.Data), len(payload))
		}
		if u.Key && !bytes.Contains(u.Data, []byte{0, 0, 1}) {
			t.Fatal("no start code")
		}
	})
}
