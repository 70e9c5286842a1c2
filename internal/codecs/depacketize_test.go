package codecs_test

import (
	"bytes"
	"testing"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// key8 is the frame tag of a VP8 key frame of 16×16 pixels.
var key8 = []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0x00, 0x10, 0x00}

// payloads are pictures of few packets, written out.
var payloads = map[string]struct {
	codec    liveproof.Codec
	payloads [][]byte
	want     []byte // nil: refused
	key      bool
}{
	"VP8 key":                     {liveproof.CodecVP8, [][]byte{append([]byte{0x10}, key8...)}, key8, true},
	"VP8 inter":                   {liveproof.CodecVP8, [][]byte{{0x10, 1, 2, 3}, {0x00, 4}}, []byte{1, 2, 3, 4}, false},
	"VP8 descriptor cut":          {liveproof.CodecVP8, [][]byte{{0x90, 0x80}}, nil, false},
	"VP8 no payload":              {liveproof.CodecVP8, [][]byte{{0x10}}, nil, false},
	"VP8 two starts":              {liveproof.CodecVP8, [][]byte{{0x10, 1, 2, 3}, {0x10, 4}}, nil, false},
	"VP8 no start":                {liveproof.CodecVP8, [][]byte{{0x00, 1, 2, 3}}, nil, false},
	"VP8 key without start code":  {liveproof.CodecVP8, [][]byte{{0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, nil, false},
	"H264 IDR without sets":       {liveproof.CodecH264, [][]byte{{0x65, 1}}, []byte{0, 0, 0, 1, 0x65, 1}, false},
	"H264 aggregate":              {liveproof.CodecH264, [][]byte{{24, 0, 2, 0x67, 1, 0, 2, 0x68, 2}, {0x65, 1}}, []byte{0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 1}, true},
	"H264 fragments":              {liveproof.CodecH264, [][]byte{{0x7c, 0x81, 1}, {0x7c, 0x01, 2}, {0x7c, 0x41, 3}}, []byte{0, 0, 0, 1, 0x61, 1, 2, 3}, false},
	"H264 fragment without start": {liveproof.CodecH264, [][]byte{{0x7c, 0x01, 2}, {0x7c, 0x41, 3}}, nil, false},
	"H264 fragment without end":   {liveproof.CodecH264, [][]byte{{0x7c, 0x81, 1}, {0x7c, 0x01, 2}}, nil, false},
	"H264 fragment broken off":    {liveproof.CodecH264, [][]byte{{0x7c, 0x81, 1}, {0x61, 1}}, nil, false},
	"H264 fragment of two types":  {liveproof.CodecH264, [][]byte{{0x7c, 0x81, 1}, {0x7c, 0x45, 2}}, nil, false},
	"H264 fragment both ends":     {liveproof.CodecH264, [][]byte{{0x7c, 0xc1, 1}}, nil, false},
	"H264 empty fragment":         {liveproof.CodecH264, [][]byte{{0x7c, 0x81}}, nil, false},
	"H264 aggregate cut":          {liveproof.CodecH264, [][]byte{{24, 0, 9, 0x67, 1}}, nil, false},
	"H264 aggregate with a rest":  {liveproof.CodecH264, [][]byte{{24, 0, 2, 0x61, 1, 0}}, nil, false},
	"H264 empty unit":             {liveproof.CodecH264, [][]byte{{24, 0, 0}}, nil, false},
	"H264 interleaved":            {liveproof.CodecH264, [][]byte{{25, 0, 0, 0, 1, 0x61}}, nil, false},
	"H264 STAP-B":                 {liveproof.CodecH264, [][]byte{{25, 0, 1, 0, 2, 0x65, 0x88}}, nil, false},
	"H264 MTAP16":                 {liveproof.CodecH264, [][]byte{{26, 0, 1, 0, 5, 0, 0, 0, 0x65, 0x88}}, nil, false},
	"H264 MTAP24":                 {liveproof.CodecH264, [][]byte{{27, 0, 1, 0, 6, 0, 0, 0, 0, 0x65, 0x88}}, nil, false},
	"H264 FU-B":                   {liveproof.CodecH264, [][]byte{{29, 0x85, 0, 1, 0x88}}, nil, false},
	"H264 fragmented sets":        {liveproof.CodecH264, [][]byte{{0x7c, 0x87, 0x42}, {0x7c, 0x47, 1}, {0x68, 0xce}, {0x65, 0x88}}, []byte{0, 0, 0, 1, 0x67, 0x42, 1, 0, 0, 0, 1, 0x68, 0xce, 0, 0, 0, 1, 0x65, 0x88}, true},
	"H264 recovery point":         {liveproof.CodecH264, [][]byte{{24, 0, 2, 0x67, 1, 0, 2, 0x68, 2}, {6, 6, 1, 0xc4, 0x80}, {0x41, 0x9a}}, []byte{0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 6, 6, 1, 0xc4, 0x80, 0, 0, 0, 1, 0x41, 0x9a}, true},
	"H264 recovery, no reference": {liveproof.CodecH264, [][]byte{{24, 0, 2, 0x67, 1, 0, 2, 0x68, 2}, {6, 6, 1, 0xc4, 0x80}, {0x01, 0x9a}}, []byte{0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 6, 6, 1, 0xc4, 0x80, 0, 0, 0, 1, 0x01, 0x9a}, false},
	"H264 reserved type":          {liveproof.CodecH264, [][]byte{{31, 1}}, nil, false},
	"VP9 key":                     {liveproof.CodecVP9, [][]byte{{0x0c, 0x82, 1}}, []byte{0x82, 1}, true},
	"VP9 inter":                   {liveproof.CodecVP9, [][]byte{{0x48, 0x86}, {0x44, 1}}, []byte{0x86, 1}, false},
	"VP9 key that is predicted":   {liveproof.CodecVP9, [][]byte{{0x4c, 0x82, 1}}, []byte{0x82, 1}, false},
	"VP9 intra only":              {liveproof.CodecVP9, [][]byte{{0x0c, 0x86, 1}}, []byte{0x86, 1}, false},
	"VP9 base layer of two":       {liveproof.CodecVP9, [][]byte{{0x2c, 0x00, 0, 0x82, 1}, {0x2c, 0x03, 0, 0x82, 2}}, []byte{0x82, 1}, true},
	"VP9 no end":                  {liveproof.CodecVP9, [][]byte{{0x08, 0x82, 1}}, nil, false},
	"VP9 no start":                {liveproof.CodecVP9, [][]byte{{0x04, 0x82, 1}}, nil, false},
	"VP9 upper layer alone":       {liveproof.CodecVP9, [][]byte{{0x2c, 0x03, 0, 0x82, 2}}, nil, false},
	"VP9 no frame marker":         {liveproof.CodecVP9, [][]byte{{0x0c, 0x02, 1}}, nil, false},
	"VP9 cut":                     {liveproof.CodecVP9, [][]byte{{0xff}}, nil, false},
	"AV1 key":                     {liveproof.CodecAV1, [][]byte{{0x28, 2, 0x08, 7, 0x30, 0x10, 9}}, []byte{0x12, 0, 0x0a, 1, 7, 0x32, 2, 0x10, 9}, true},
	"AV1 inter":                   {liveproof.CodecAV1, [][]byte{{0x10, 0x30, 0x30, 9}}, []byte{0x12, 0, 0x32, 2, 0x30, 9}, false},
	"AV1 fragments":               {liveproof.CodecAV1, [][]byte{{0x50, 0x30, 0x30}, {0x90, 9, 8}}, []byte{0x12, 0, 0x32, 3, 0x30, 9, 8}, false},
	"AV1 fragment without start":  {liveproof.CodecAV1, [][]byte{{0x90, 0x30, 9}}, nil, false},
	"AV1 fragment without end":    {liveproof.CodecAV1, [][]byte{{0x50, 0x30, 0x30}}, nil, false},
	"AV1 fragment broken off":     {liveproof.CodecAV1, [][]byte{{0x50, 0x30, 0x30}, {0x10, 0x30, 9}}, nil, false},
	"AV1 no frame":                {liveproof.CodecAV1, [][]byte{{0x10, 0x08, 7}}, nil, false},
	"AV1 size beyond the payload": {liveproof.CodecAV1, [][]byte{{0x00, 9, 0x30, 1}}, nil, false},
	"AV1 header only":             {liveproof.CodecAV1, [][]byte{{0x10}}, nil, false},
}

// TestPayloads: a payload that breaks its format's rules must not become a
// picture.
func TestPayloads(t *testing.T) {
	for name, c := range payloads {
		t.Run(name, func(t *testing.T) {
			d := codecs.Find(c.codec).NewDepacketizer("")
			d.Reset()
			var err error
			for _, p := range c.payloads {
				if err == nil {
					err = d.Add(p)
				}
			}
			var u codecs.Unit
			if err == nil {
				u, err = d.Finish(nil)
			}
			if c.want == nil && err == nil {
				t.Fatalf("%x was taken", u.Data)
			}
			if c.want != nil && (err != nil || !bytes.Equal(u.Data, c.want) || u.Key != c.key) {
				t.Fatalf("%x key %v, %v; want %x key %v", u.Data, u.Key, err, c.want, c.key)
			}
		})
	}
}

// TestDiscardable: a picture may be left out only if all of its packets say that no later picture needs it.
func TestDiscardable(t *testing.T) {
	nonReference, reference := []byte{0x30, 1, 2, 3}, []byte{0x10, 1, 2, 3}
	for name, c := range map[string]struct {
		codec    liveproof.Codec
		payloads [][]byte
		want     bool
	}{
		"VP8 non-reference frame":           {liveproof.CodecVP8, [][]byte{nonReference, {0x20, 4}}, true},
		"VP8 reference frame":               {liveproof.CodecVP8, [][]byte{reference, {0x00, 4}}, false},
		"VP8 packets that disagree":         {liveproof.CodecVP8, [][]byte{nonReference, {0x00, 4}}, false},
		"VP8 packets that disagree later":   {liveproof.CodecVP8, [][]byte{reference, {0x20, 4}}, false},
		"VP8 key frame":                     {liveproof.CodecVP8, [][]byte{append([]byte{0x30}, key8...)}, false},
		"H264 slice that is no reference":   {liveproof.CodecH264, [][]byte{{0x01, 1}}, true},
		"H264 slice that is a reference":    {liveproof.CodecH264, [][]byte{{0x21, 1}}, false},
		"H264 two slices":                   {liveproof.CodecH264, [][]byte{{0x01, 1}, {0x01, 2}}, true},
		"H264 slices that disagree":         {liveproof.CodecH264, [][]byte{{0x01, 1}, {0x41, 2}}, false},
		"H264 fragments, no reference":      {liveproof.CodecH264, [][]byte{{0x1c, 0x81, 1}, {0x1c, 0x41, 2}}, true},
		"H264 fragments, a reference":       {liveproof.CodecH264, [][]byte{{0x7c, 0x81, 1}, {0x7c, 0x41, 2}}, false},
		"H264 aggregate, no reference":      {liveproof.CodecH264, [][]byte{{24, 0, 2, 0x06, 1, 0, 2, 0x01, 2}}, true},
		"H264 parameter set beside a slice": {liveproof.CodecH264, [][]byte{{24, 0, 2, 0x68, 1, 0, 2, 0x01, 2}}, false},
		"H264 IDR slice":                    {liveproof.CodecH264, [][]byte{{0x05, 1}}, false},
		"VP9":                               {liveproof.CodecVP9, [][]byte{{0x48, 0x86}, {0x44, 1}}, false},
		"AV1":                               {liveproof.CodecAV1, [][]byte{{0x10, 0x30, 0x30, 9}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := codecs.Find(c.codec).NewDepacketizer("")
			u := join(t, d, c.payloads)
			if u.Discardable != c.want {
				t.Fatalf("discardable: %v", u.Discardable)
			}
			if c.want && join(t, d, c.payloads).Discardable != c.want {
				t.Fatal("the second picture is judged in another way")
			}
		})
	}
}

// TestHeldParameterSetsAreNeeded: a picture is not discardable if it carries parameter sets that came before it.
func TestHeldParameterSetsAreNeeded(t *testing.T) {
	d := codecs.Find(liveproof.CodecH264).NewDepacketizer("")
	if u := join(t, d, [][]byte{{0x67, 1}}); u.Data != nil {
		t.Fatalf("%x", u.Data)
	}
	slice := [][]byte{{0x01, 1}}
	if u := join(t, d, slice); u.Discardable {
		t.Fatal("parameter sets would be lost")
	}
	if u := join(t, d, slice); !u.Discardable {
		t.Fatal("the picture after it is needed for nothing")
	}
}

// join makes the next picture.
func join(t *testing.T, d codecs.Depacketizer, payloads [][]byte) codecs.Unit {
	t.Helper()
	d.Reset()
	for _, p := range payloads {
		if err := d.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	u, err := d.Finish(nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
