package rtc

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// TestRelayedThroughCoturn: a client that may only use its relay reaches the
// server with the credentials that ICEServers gave it, and not with others.
func TestRelayedThroughCoturn(t *testing.T) {
	const secret = "north"
	url := startCoturn(t, secret)
	frames := encodedStream(t, liveproof.CodecVP8)
	cfg := testConfig()
	cfg.TURNURLs, cfg.TURNSecret = []string{url}, secret
	api := newTestAPI(t, cfg)
	servers := api.ICEServers("01TEST", time.Now())

	c, p := dial(t, api, clientOptions{relay: servers})
	c.play(frames, 10*time.Millisecond)
	wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 10)
	pair, err := c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair.Local.Typ != webrtc.ICECandidateTypeRelay {
		t.Fatalf("pair %v, %v", pair, err)
	}

	expired := api.ICEServers("01TEST", time.Now().Add(-2*cfg.TURNTTL))
	if offer := newClient(t, clientOptions{relay: expired}).offer(t); bytes.Contains([]byte(offer), []byte("a=candidate")) {
		t.Fatal("an expired credential opens a relay")
	}
}

func startCoturn(t *testing.T, secret string) (url string) {
	t.Helper()
	program, err := exec.LookPath("turnserver")
	if err != nil {
		t.Skip("coturn is missing")
	}
	free, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	_ = free.Close()
	// The shipped configuration: all peers are denied but the one that is allowed here.
	command := exec.Command(program, "-c", "../../configs/coturn/turnserver.conf", "--static-auth-secret="+secret,
		"--allowed-peer-ip=127.0.0.1", "--allow-loopback-peers", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1",
		fmt.Sprintf("--listening-port=%d", port), "--no-tcp", "--log-file=stdout", "--pidfile="+t.TempDir()+"/pid", "--userdb="+t.TempDir()+"/db")
	var output bytes.Buffer
	command.Stdout = &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(output.String())
		}
	})
	awaitSTUN(t, port)
	return fmt.Sprintf("turn:127.0.0.1:%d?transport=udp", port)
}

// awaitSTUN waits until the server answers a binding request.
func awaitSTUN(t *testing.T, port int) {
	t.Helper()
	request := stun.MustBuild(stun.BindingRequest, stun.TransactionID)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = conn.Write(request.Raw)
		_, err = conn.Read(make([]byte, 1500))
		_ = conn.Close()
		if err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("coturn does not answer")
}
