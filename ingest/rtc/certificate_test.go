package rtc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestCertificateWithNegativeSerial: FFmpeg's WHIP muxer gives its certificate a random serial number, negative in
// half of all cases. RFC 5280, 4.1.2.2, forbids that, but WebRTC trusts a certificate by its fingerprint alone (RFC 8827, 6.5).
func TestCertificateWithNegativeSerial(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	certificate := negativeSerial(t)
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{certificates: []webrtc.Certificate{certificate}})
	c.play(frames, 10*time.Millisecond)
	wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 1)
}

// negativeSerial is a self-signed certificate with a serial number below zero, which x509.CreateCertificate refuses to make.
func negativeSerial(t *testing.T) webrtc.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x01020304), Subject: pkix.Name{CommonName: "WebRTC"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)

	var parts struct {
		Body      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	_, err = asn1.Unmarshal(der, &parts)
	require.NoError(t, err)
	positive, negative := []byte{asn1.TagInteger, 4, 1, 2, 3, 4}, []byte{asn1.TagInteger, 4, 0x81, 2, 3, 4}
	require.Equal(t, 1, bytes.Count(parts.Body.FullBytes, positive))
	parts.Body.FullBytes = bytes.Replace(parts.Body.FullBytes, positive, negative, 1)
	digest := sha256.Sum256(parts.Body.FullBytes)
	parts.Signature.Bytes, err = ecdsa.SignASN1(rand.Reader, key, digest[:])
	require.NoError(t, err)
	parts.Signature.BitLength = 8 * len(parts.Signature.Bytes)
	der, err = asn1.Marshal(parts)
	require.NoError(t, err)

	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err, "go.mod asks for x509negativeserial=1")
	require.Negative(t, parsed.SerialNumber.Sign())
	return webrtc.CertificateFromX509(key, parsed)
}
