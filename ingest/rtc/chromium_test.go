package rtc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// page sends a drawn picture, so that Chromium, without a camera permission,
// hides its addresses behind mDNS names; candidates are trickled. After "next"
// it goes on with another codec.
const page = `<!doctype html><canvas id=c width=320 height=240></canvas><script>
const wanted = %s, post = (path, body) => fetch(path, {method: 'POST', body: JSON.stringify(body)});
(async () => {
  const g = c.getContext('2d'); let n = 0;
  setInterval(() => { g.fillStyle = 'hsl(' + (n++ * 7 %% 360) + ' 90%% 50%%)'; g.fillRect(n * 5 %% 320, n * 3 %% 240, 60, 60); }, 33);
  const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  pc.onicecandidate = e => post('/candidate', e.candidate ? e.candidate.toJSON() : {candidate: ''});
  const audio = pc.addTransceiver('audio'), video = pc.addTransceiver(c.captureStream(30).getVideoTracks()[0], {direction: 'sendrecv'});
  pc.createDataChannel('unwanted');
  const all = RTCRtpSender.getCapabilities('video').codecs;
  const rank = codec => { const i = wanted.indexOf(codec.mimeType); return i < 0 ? 9 : i; };
  const chosen = all.filter(codec => rank(codec) < 9 || codec.mimeType === 'video/rtx').sort((a, b) => rank(a) - rank(b));
  if (!wanted.every(w => chosen.some(codec => codec.mimeType === w))) { await post('/unsupported', all.map(codec => codec.mimeType)); return; }
  video.setCodecPreferences(chosen);
  await pc.setLocalDescription();
  const response = await post('/offer', pc.localDescription.sdp);
  await pc.setRemoteDescription({type: 'answer', sdp: await response.text()});
  await fetch('/next');
  const p = video.sender.getParameters();
  p.encodings[0].codec = p.codecs.find(codec => codec.mimeType === wanted[1]);
  await video.sender.setParameters(p);
})().catch(e => post('/failed', String(e)));
</script>`

// browser is a page in a real Chromium that talks to one peer.
type browser struct {
	peer   *Peer
	offer  chan string
	failed chan string
	next   chan struct{}
	hidden atomic.Int64 // candidates with an mDNS name
}

func browse(t *testing.T, api *API, codecs ...liveproof.Codec) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is missing")
	}
	p, err := api.NewPeer("01TEST", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	b := &browser{peer: p, offer: make(chan string, 1), failed: make(chan string, 4), next: make(chan struct{})}
	server := httptest.NewServer(b.handler(codecs))
	t.Cleanup(server.Close)
	command := exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(), server.URL)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it starts others, which must end with it
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		_ = command.Wait()
	})
	return b
}

func (b *browser) handler(names []liveproof.Codec) http.Handler {
	wanted := []string{}
	for _, codec := range names {
		wanted = append(wanted, codecs.Find(codec).MIMEType())
	}
	list, _ := json.Marshal(wanted)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, page, list)
	})
	mux.HandleFunc("POST /offer", func(w http.ResponseWriter, r *http.Request) {
		var offer string
		_ = json.NewDecoder(r.Body).Decode(&offer)
		b.offer <- offer
		answer, err := b.peer.Answer(r.Context(), offer)
		if err != nil {
			b.failed <- err.Error()
		}
		_, _ = io.WriteString(w, answer)
	})
	mux.HandleFunc("POST /candidate", func(_ http.ResponseWriter, r *http.Request) {
		var c webrtc.ICECandidateInit
		_ = json.NewDecoder(r.Body).Decode(&c)
		b.hidden.Add(int64(strings.Count(c.Candidate, ".local ")))
		if err := b.peer.AddCandidate(c); err != nil {
			b.failed <- err.Error()
		}
	})
	mux.HandleFunc("GET /next", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-b.next:
		case <-r.Context().Done():
		}
	})
	tell := func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.failed <- r.URL.Path + " " + string(body)
	}
	mux.HandleFunc("POST /failed", tell)
	mux.HandleFunc("POST /unsupported", tell)
	return mux
}

// video waits for the track, or for what the page reports.
func (b *browser) video(t *testing.T) *Video {
	t.Helper()
	select {
	case <-b.peer.tracked:
		return b.peer.video
	case text := <-b.failed:
		if strings.HasPrefix(text, "/unsupported") {
			t.Skip("this Chromium lacks a codec: " + text)
		}
		t.Fatal(text)
	case <-b.peer.Done():
		t.Fatal(b.peer.Err())
	case <-t.Context().Done():
	}
	return nil
}

// TestChromiumSends receives each codec from a real browser that asks for
// audio, data channels and max-bundle too, and changes the codec mid-stream
// (row 10 of the bad input).
func TestChromiumSends(t *testing.T) {
	for _, codecs := range [][2]liveproof.Codec{
		{liveproof.CodecVP8, liveproof.CodecVP9}, {liveproof.CodecH264, liveproof.CodecVP8}, {liveproof.CodecVP9, liveproof.CodecAV1},
	} {
		t.Run(string(codecs[0])+" then "+string(codecs[1]), func(t *testing.T) {
			cfg := testConfig()
			cfg.ConnectTimeout = 2 * patience // the browser's start included
			cfg.Codecs = codecs[:]
			b := browse(t, newTestAPI(t, cfg), codecs[:]...)
			v := b.video(t)
			first := next(t, v)
			if first.Codec != codecs[0] || !first.Key {
				t.Fatalf("first unit: %s, key %v", first.Codec, first.Key)
			}
			if offer := <-b.offer; !strings.Contains(offer, "m=application") || !strings.Contains(offer, "m=audio") {
				t.Fatalf("the offer lacks what should be refused:\n%s", offer)
			}
			wantDecodable(t, v, first, 20)
			close(b.next)
			u := next(t, v)
			for u.Codec != codecs[1] {
				u = next(t, v)
			}
			if !u.Key {
				t.Fatal("the new codec does not begin with a key frame")
			}
			wantDecodable(t, v, u, 20)
			if b.hidden.Load() == 0 {
				t.Fatal("Chromium hid no address")
			}
			select {
			case text := <-b.failed:
				t.Fatal(text)
			default:
			}
		})
	}
}

// wantDecodable takes n more units and lets FFmpeg decode all of them without a complaint.
func wantDecodable(t *testing.T, v *Video, first liveproof.AccessUnit, n int) {
	t.Helper()
	units := []liveproof.AccessUnit{first}
	for range n {
		u := next(t, v)
		if u.Codec != first.Codec || u.Gap && !u.Key {
			t.Fatalf("codec %s, gap %v", u.Codec, u.Gap)
		}
		units = append(units, u)
	}
	format := "ivf"
	stream := ivfHeader(first.Codec)
	if first.Codec == liveproof.CodecH264 {
		format, stream = "h264", nil
	}
	for i, u := range units {
		if format == "ivf" {
			stream = binary.LittleEndian.AppendUint32(stream, uint32(len(u.Data)))
			stream = binary.LittleEndian.AppendUint64(stream, uint64(i))
		}
		stream = append(stream, u.Data...)
	}
	command := exec.Command("ffmpeg", "-v", "error", "-f", format, "-i", "-", "-f", "framehash", "-")
	command.Stdin = bytes.NewReader(stream)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	hashes, err := command.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%s: %v %s", first.Codec, err, complaints.String())
	}
	if pictures := bytes.Count(hashes, []byte("\n0,")); pictures != len(units) {
		t.Fatalf("%s: %d pictures from %d units", first.Codec, pictures, len(units))
	}
}

func ivfHeader(codec liveproof.Codec) []byte {
	fourcc := map[liveproof.Codec]string{liveproof.CodecVP8: "VP80", liveproof.CodecVP9: "VP90", liveproof.CodecAV1: "AV01"}[codec]
	return append([]byte("DKIF\x00\x00\x20\x00"+fourcc), 0x40, 1, 0xf0, 0, 30, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}
