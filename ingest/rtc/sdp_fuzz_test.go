package rtc

import (
	"errors"
	"strings"
	"testing"
)

func FuzzOffer(f *testing.F) {
	f.Add(crlf(chromeOffer))
	f.Add("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\n")
	for _, c := range simulcastOffers {
		f.Add(crlf(c.offer))
	}
	cfg := DefaultConfig()
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOffer(cfg, text)
		if err != nil {
			if !errors.Is(err, ErrBadSDP) {
				t.Fatalf("%v is no ErrBadSDP", err)
			}
			return
		}
		if len(o.kept) != len(o.sections) || o.candidates > cfg.MaxCandidates || len(o.sections) > cfg.MaxMediaSections {
			t.Fatalf("%d kept of %d, %d candidates", len(o.kept), len(o.sections), o.candidates)
		}
		if len(o.announced.rids) > maxLayers || o.announced.streams > maxLayers {
			t.Fatalf("%d rids, %d streams", len(o.announced.rids), o.announced.streams)
		}
		renewed := o.renewed(o.credentials)
		if _, err := renewed.Marshal(); err != nil {
			t.Fatal(err)
		}
		if !o.sameSections(o) || o.credentials.check() != nil || len(o.fingerprints()) == 0 {
			t.Fatalf("taken: %+v", o.credentials)
		}
		reduced, err := o.description.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.complete(string(reduced), nil, true); err != nil && !errors.Is(err, ErrBadSDP) && !strings.Contains(err.Error(), "own answer") {
			t.Fatal(err)
		}
	})
}

func FuzzFragment(f *testing.F) {
	f.Add("a=ice-ufrag:EsAw\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n")
	f.Add("a=end-of-candidates")
	f.Add("a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-ufrag:other\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		fragment, err := parseFragment(DefaultConfig(), text)
		if err != nil && !errors.Is(err, ErrBadSDP) {
			t.Fatal(err)
		}
		if c := fragment.credentials; err == nil && c.pwd != "" && c.check() != nil {
			t.Fatalf("taken: %+v", c)
		}
		for _, c := range fragment.candidates {
			_ = DefaultConfig().checkCandidate(c)
		}
	})
}
