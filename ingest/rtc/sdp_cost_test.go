package rtc

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLongOffersAreCheap: the work for an offer grows with its length, and not with its square, whatever is
// repeated in it. The limit is far above what that takes, and below the square's time.
func TestLongOffersAreCheap(t *testing.T) {
	const length = 512 << 10
	const square = 32 << 10 // its square takes ten seconds and half a gigabyte
	cfg := testConfig()
	cfg.MaxSDPBytes = 2 * length
	api := newTestAPI(t, cfg)
	offer := crlf(chromeOffer)
	// with puts many texts in front of the mark.
	with := func(offer, mark string, bytes int, text func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < bytes; i++ {
			b.WriteString(text(i))
		}
		return strings.Replace(offer, mark, b.String()+mark, 1)
	}
	always := func(text string) func(int) string { return func(int) string { return text } }
	for name, long := range map[string]string{
		"mids of a bundle":            with(with(offer, " 0 1 2", length/2, always(" x")), "a=mid:0", length/2, always("a=x\r\n")),
		"one mid of a bundle":         with(offer, " 0 1 2", length, always(" 1")),
		"a format and its feedback":   with(with(offer, " 100 101 123", square, always(" 96")), "a=rtpmap:96", square, always("a=rtcp-fb:96 nack\r\n")),
		"other feedback":              with(with(offer, " 100 101 123", square, always(" 96")), "a=rtpmap:96", square, func(i int) string { return fmt.Sprintf("a=rtcp-fb:96 x%d\r\n", i) }),
		"formats and names":           with(with(offer, " 100 101 123", length/2, func(i int) string { return fmt.Sprintf(" %d", i+128) }), "a=rtpmap:96", length/2, func(i int) string { return fmt.Sprintf("a=rtpmap:%d n%d/1\r\n", i+128, i) }),
		"names of one format":         with(offer, "a=rtpmap:96", length, func(i int) string { return fmt.Sprintf("a=rtpmap:96 n%d/1\r\n", i) }),
		"parameters of one format":    with(offer, "a=fmtp:97", length, func(i int) string { return fmt.Sprintf("a=fmtp:97 apt=%d\r\n", i%128) }),
		"parameters of one parameter": with(offer, "\r\na=rtpmap:104", length, always(";x=y")),
		"streams":                     with(offer, "a=extmap:2", length, func(i int) string { return fmt.Sprintf("a=ssrc:%d x\r\n", i) }),
		"groups":                      with(offer, "a=extmap:2", length, func(i int) string { return fmt.Sprintf("a=ssrc-group:FID %d %d\r\n", i, i+1) }),
		"rids":                        with(offer, "a=extmap:2", length, func(i int) string { return fmt.Sprintf("a=rid:%d send\r\n", i) }),
		"fingerprints":                with(offer, "a=extmap:2", length, func(i int) string { return fmt.Sprintf("a=fingerprint:sha-1 %02x\r\n", i%256) }),
	} {
		t.Run(name, func(t *testing.T) {
			if len(long) < 2*square {
				t.Fatalf("%d bytes", len(long))
			}
			p, err := api.NewPeer("01TEST", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			began := time.Now()
			_, err = p.Answer(ctx, long)
			if took := time.Since(began); took > 5*time.Second {
				t.Fatalf("%v, %v", took, err)
			}
		})
	}
}
