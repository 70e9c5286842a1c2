package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	lkproto "github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/livekit"
	"github.com/liveproof/liveproof/internal/codecs"
	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/store"
)

const (
	roomKey    = "devkey"
	roomSecret = "a secret that is long enough for LiveKit"
)

// conference is a real livekit-server.
type conference struct {
	t      *testing.T
	url    string
	config string
	cmd    *exec.Cmd
}

// startConference starts the server that LIVEKIT_SERVER names, or skips. webhooks are the addresses that it tells.
func startConference(t *testing.T, webhooks ...string) *conference {
	t.Helper()
	if os.Getenv("LIVEKIT_SERVER") == "" {
		t.Skip("LIVEKIT_SERVER names no livekit-server (make test-livekit installs one)")
	}
	signal, udp, tcp := freePort(t, "tcp"), freePort(t, "udp"), freePort(t, "tcp")
	c := &conference{t: t, url: "ws://127.0.0.1:" + strconv.Itoa(signal), config: fmt.Sprintf(
		"{port: %d, bind_addresses: [127.0.0.1], keys: {%s: %q}, logging: {level: error}, webhook: {api_key: %[2]s, urls: [%[6]s]}, "+
			"room: {enabled_codecs: [{mime: audio/opus}, {mime: video/VP8}, {mime: video/H264}, {mime: video/VP9}, {mime: video/H265}, {mime: video/rtx}]}, "+
			"rtc: {udp_port: %[4]d, tcp_port: %[5]d, node_ip: 127.0.0.1, enable_loopback_candidate: true, use_external_ip: false}}",
		signal, roomKey, roomSecret, udp, tcp, strings.Join(webhooks, ","))}
	c.start()
	t.Cleanup(c.kill)
	return c
}

func freePort(t *testing.T, network string) int {
	t.Helper()
	if network == "udp" {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		defer conn.Close()
		return conn.LocalAddr().(*net.UDPAddr).Port
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (c *conference) start() {
	c.t.Helper()
	c.cmd = exec.Command(os.Getenv("LIVEKIT_SERVER"), "--config-body", c.config)
	c.cmd.Stderr, c.cmd.Stdout = testWriter{c.t}, testWriter{c.t}
	require.NoError(c.t, c.cmd.Start())
	require.Eventually(c.t, func() bool {
		resp, err := http.Get("http" + strings.TrimPrefix(c.url, "ws"))
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond, "livekit-server does not answer")
}

// kill ends the server as a crash does.
func (c *conference) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

func (c *conference) rooms() *lksdk.RoomServiceClient {
	return lksdk.NewRoomServiceClient(c.url, roomKey, roomSecret)
}

// join joins the room as a participant.
func (c *conference) join(room, identity string, callback *lksdk.RoomCallback) *lksdk.Room {
	c.t.Helper()
	lksdk.SetLogger(logger.GetDiscardLogger())
	r, err := lksdk.ConnectToRoom(c.url, lksdk.ConnectInfo{APIKey: roomKey, APISecret: roomSecret, RoomName: room, ParticipantIdentity: identity}, callback)
	require.NoError(c.t, err)
	c.t.Cleanup(r.Disconnect)
	return r
}

// camera publishes a clip of VP8 as the participant's camera.
func (c *conference) camera(r *lksdk.Room, clip string) {
	c.t.Helper()
	c.publish(r, webrtc.MimeTypeVP8, clip)
}

// publish publishes a clip, IVF or a byte stream of H.264 or H.265, as the participant's camera.
func (c *conference) publish(r *lksdk.Room, mime, clip string) {
	c.t.Helper()
	raw, err := os.ReadFile(clip)
	require.NoError(c.t, err)
	track, err := lksdk.NewLocalReaderTrack(io.NopCloser(bytes.NewReader(raw)), mime, lksdk.ReaderTrackWithFrameDuration(time.Second/30))
	require.NoError(c.t, err)
	_, err = r.LocalParticipant.PublishTrack(track, &lksdk.TrackPublicationOptions{
		Name: "cam", Source: lkproto.TrackSource_CAMERA, VideoWidth: 640, VideoHeight: 480,
	})
	require.NoError(c.t, err)
}

// observer gets the room's data messages.
func (c *conference) observer(room string) (messages <-chan livekit.Message, r *lksdk.Room) {
	out := make(chan livekit.Message, 1000)
	r = c.join(room, "agent", &lksdk.RoomCallback{ParticipantCallback: lksdk.ParticipantCallback{
		OnDataPacket: func(data lksdk.DataPacket, params lksdk.DataReceiveParams) {
			packet, ok := data.(*lksdk.UserDataPacket)
			var m livekit.Message
			if ok && packet.Topic == livekit.Topic && params.SenderIdentity == "" && json.Unmarshal(packet.Payload, &m) == nil {
				out <- m
			}
		},
	}})
	return out, r
}

// watchedRoom is `liveproof livekit` in this process.
type watchedRoom struct {
	cancel context.CancelFunc
	done   chan error
	log    logBuffer
}

func (c *conference) watch(args ...string) *watchedRoom {
	c.t.Helper()
	needRuntime(c.t)
	ctx, cancel := context.WithCancel(context.Background())
	w := &watchedRoom{cancel: cancel, done: make(chan error, 1)}
	root := newRootCommand()
	root.SetArgs(append([]string{"livekit", "--url", c.url, "--api-key", roomKey}, args...))
	root.SetOut(io.MultiWriter(testWriter{c.t}, &w.log))
	root.SetErr(io.MultiWriter(testWriter{c.t}, &w.log))
	c.t.Setenv("LIVEPROOF_OPS_LISTEN", "")
	ended := make(chan struct{})
	go func() { defer close(ended); w.done <- root.ExecuteContext(ctx) }()
	c.t.Cleanup(func() { cancel(); <-ended; http.DefaultClient.CloseIdleConnections() })
	return w
}

// until returns the first message that satisfies want.
func until(t *testing.T, messages <-chan livekit.Message, what string, want func(livekit.Message) bool) livekit.Message {
	t.Helper()
	limit := time.After(90 * time.Second)
	for {
		select {
		case m := <-messages:
			t.Logf("message: %+v", m)
			if want(m) {
				return m
			}
		case <-limit:
			t.Fatal(what)
		}
	}
}

func told(outcome liveproof.Outcome, final bool) func(livekit.Message) bool {
	return func(m livekit.Message) bool { return m.Verdict == outcome && m.Final == final }
}

// record reads a session from the store of the watcher.
func record(t *testing.T, url string, id liveproof.SessionID) liveproof.Session {
	t.Helper()
	db, err := store.NewRedis(store.Config{Redis: url, IdempotencyTTL: time.Hour}, time.Now)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	s, err := db.Get(t.Context(), id)
	require.NoError(t, err)
	return s
}

// TestLiveKit runs against one encoding of a clip, which takes longest.
func TestLiveKit(t *testing.T) {
	t.Setenv("LIVEKIT_API_SECRET", roomSecret)
	startConference(t).kill() // skips before the clip is encoded
	clip := encodeIVF(t, personArgs(t, "person_A_640x480.mjpeg", "40")...)
	t.Run("room", func(t *testing.T) { testRoom(t, clip) })
	t.Run("crash", func(t *testing.T) { testConferenceCrash(t, clip) })
	t.Run("codecs", func(t *testing.T) { testCodecs(t, clip) })
	t.Run("layers", testLayers)
	t.Run("refused", testRefusal)
	t.Run("killed", func(t *testing.T) { testKilledWatcher(t, clip) })
}

// testRoom: a person's camera in a room becomes live; the room hears of it by data messages and attributes, and does not see the watcher. When
// the person leaves, the session ends with its verdict. When the room is closed, the watcher ends.
func testRoom(t *testing.T, clip string) {
	c := startConference(t)
	db := redistest.Start(t)
	_, err := c.rooms().CreateRoom(t.Context(), &lkproto.CreateRoomRequest{Name: "room-1", DepartureTimeout: 1})
	require.NoError(t, err)
	messages, seen := c.observer("room-1")
	w := c.watch("--room", "room-1", "--identity", "alice", "--redis", db.URL())
	stranger := c.join("room-1", "mallory", nil)
	c.camera(stranger, clip)
	alice := c.join("room-1", "alice", nil)
	c.camera(alice, clip)

	m := until(t, messages, "no verdict live", told(liveproof.OutcomeLive, false))
	require.Equal(t, "alice", m.Identity, "only who was named is watched")
	require.Equal(t, liveproof.ResultPass, m.Result)
	require.Greater(t, m.ValidUntil, time.Now().UnixMilli())
	running := record(t, db.URL(), m.Session)
	require.Equal(t, liveproof.StateStreaming, running.State)
	require.Equal(t, "room-1/alice", running.ExternalID)
	require.Equal(t, liveproof.ModeCall, running.Mode)
	require.Eventually(t, func() bool {
		p, err := c.rooms().GetParticipant(t.Context(), &lkproto.RoomParticipantIdentity{Room: "room-1", Identity: "alice"})
		return err == nil && p.GetAttributes()["liveproof.verdict"] == "live" && p.GetAttributes()["liveproof.session"] == string(m.Session)
	}, 30*time.Second, 100*time.Millisecond, "attributes")
	require.Nil(t, seen.GetParticipantByIdentity("liveproof"), "the watcher is hidden")
	require.Nil(t, alice.GetParticipantByIdentity("liveproof"))

	alice.Disconnect()
	m = until(t, messages, "the session does not end", func(m livekit.Message) bool { return m.Final })
	ended := record(t, db.URL(), m.Session)
	require.True(t, ended.State.Terminal())
	require.Contains(t, ended.Verdict.Reasons, liveproof.ReasonDisconnected)
	require.Equal(t, ended.Verdict.Outcome, m.Verdict, "the room is told what the record says")

	stranger.Disconnect()
	seen.Disconnect()
	select { // the watcher does not keep the empty room open
	case err := <-w.done:
		require.NoError(t, err, "the room was closed")
	case <-time.After(time.Minute):
		t.Fatal("the watcher does not end with the room")
	}
	require.NotContains(t, w.log.all(), roomSecret)
	require.NotContains(t, w.log.all(), "eyJ", "no token is logged")
}

// roomCodec is a codec of cameras in rooms; LiveKit's publisher of files wants one slice a picture.
type roomCodec struct {
	name, mime, file string
	encoder          []string
}

// roomCodecs are those of which docs/livekit.md says that they were tried besides VP8, in which every other test publishes.
var roomCodecs = []roomCodec{
	{"H.264", webrtc.MimeTypeH264, "clip.h264", []string{"-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-x264-params", "slices=1:sliced-threads=0"}},
	{"VP9", webrtc.MimeTypeVP9, "clip.ivf", []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"}},
}

// hevc is forwarded by a LiveKit server that enables it, and not decoded here.
var hevc = roomCodec{"H.265", webrtc.MimeTypeH265, "clip.h265", []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:slices=1"}}

func (c roomCodec) encode(t *testing.T, seconds string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), c.file)
	command := append([]string{"-v", "error"}, personArgs(t, "person_A_640x480.mjpeg", seconds)...)
	command = append(append(command, "-an", "-r", "30", "-pix_fmt", "yuv420p", "-b:v", "1M", "-g", "60", "-threads", "1"), append(c.encoder, path)...)
	out, err := exec.Command("ffmpeg", command...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// testCodecs: cameras in other codecs than VP8 become live. One in a codec that is not decoded is named in the log, and does no harm to the room's
// other cameras.
func testCodecs(t *testing.T, clip string) {
	c := startConference(t)
	for _, codec := range roomCodecs {
		t.Run(codec.name, func(t *testing.T) {
			encoded := codec.encode(t, "30")
			messages, _ := c.observer(codec.name)
			w := c.watch("--room", codec.name, "--identity", "alice")
			c.publish(c.join(codec.name, "alice", nil), codec.mime, encoded)
			until(t, messages, "no verdict live", told(liveproof.OutcomeLive, false))
			p, err := c.rooms().GetParticipant(t.Context(), &lkproto.RoomParticipantIdentity{Room: codec.name, Identity: "alice"})
			require.NoError(t, err)
			require.Equal(t, strings.ToLower(codec.mime), strings.ToLower(p.GetTracks()[0].GetMimeType()), "what the server forwards")
			w.cancel()
		})
	}
	t.Run(hevc.name, func(t *testing.T) {
		encoded := hevc.encode(t, "4") // encoding takes long
		messages, _ := c.observer(hevc.name)
		w := c.watch("--room", hevc.name)
		require.Eventually(t, func() bool { return strings.Contains(w.log.all(), "room joined") }, 90*time.Second, 20*time.Millisecond)
		c.publish(c.join(hevc.name, "mallory", nil), hevc.mime, encoded)
		require.Eventually(t, func() bool { return len(w.log.lines("codec is not decoded")) > 0 }, 90*time.Second, 20*time.Millisecond)
		c.camera(c.join(hevc.name, "alice", nil), clip)
		m := until(t, messages, "no verdict live", told(liveproof.OutcomeLive, false))
		require.Equal(t, "alice", m.Identity)
		w.cancel()
	})
}

// TestLiveKitCodecs: docs/livekit.md names the codecs that TestLiveKit publishes, and those that no room is judged in.
func TestLiveKitCodecs(t *testing.T) {
	page, err := os.ReadFile("../../docs/livekit.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| ([\w.]+) \| (live|decoded|not judged)\b`).FindAllStringSubmatch(string(page), -1)
	documented := map[string]string{}
	for _, row := range rows {
		documented[row[1]] = row[2]
	}
	want := map[string]string{"VP8": "live", hevc.name: "not judged"}
	for _, name := range codecs.Names() {
		if spoken := strings.Replace(string(name), "H26", "H.26", 1); want[spoken] == "" {
			want[spoken] = "decoded"
		}
	}
	for _, codec := range roomCodecs {
		want[codec.name] = "live"
	}
	require.Equal(t, want, documented)
	require.Nil(t, codecs.Find("H265"))
}

// testConferenceCrash: the conference server dies before a verdict, so the session ends without one; when the server is back, the watcher joins
// again, and the next session becomes live.
func testConferenceCrash(t *testing.T, clip string) {
	t.Setenv("LIVEPROOF_SESSION_IDLE_TIMEOUT", "2s")
	c := startConference(t)
	db := redistest.Start(t)
	messages, observer := c.observer("room-2")
	w := c.watch("--room", "room-2", "--redis", db.URL())
	alice := c.join("room-2", "alice", nil)
	c.camera(alice, clip)
	first := until(t, messages, "no session", told(liveproof.OutcomePending, false))
	require.Eventually(t, func() bool { return record(t, db.URL(), first.Session).State == liveproof.StateStreaming }, time.Minute, 20*time.Millisecond)
	c.kill()
	require.Eventually(t, func() bool { return record(t, db.URL(), first.Session).State.Terminal() }, 2*time.Minute, 100*time.Millisecond)
	require.NotEqual(t, liveproof.OutcomeLive, record(t, db.URL(), first.Session).Verdict.Outcome)
	observer.Disconnect()
	alice.Disconnect()

	c.start()
	messages, _ = c.observer("room-2")
	alice = c.join("room-2", "alice", nil)
	c.camera(alice, clip)
	again := until(t, messages, "the watcher does not come again", told(liveproof.OutcomeLive, false))
	require.NotEqual(t, first.Session, again.Session)

	w.cancel() // as SIGTERM does
	last := until(t, messages, "the session does not end", func(m livekit.Message) bool { return m.Final })
	require.True(t, record(t, db.URL(), last.Session).State.Terminal())
}

// roomEnv names the room of TestRoomProcess: address, room and Redis, separated by blanks.
const roomEnv = "LIVEPROOF_PORT_TEST_ROOM"

// TestRoomProcess is the watcher process of testKilledWatcher.
func TestRoomProcess(t *testing.T) {
	where := strings.Fields(os.Getenv(roomEnv))
	if len(where) != 3 {
		t.Skip(roomEnv + " is set by the test that starts this process")
	}
	os.Exit(run(t.Context(), []string{"livekit", "--url", where[0], "--room", where[1], "--redis", where[2], "--api-key", roomKey}))
}

// testKilledWatcher: a watcher in its sandbox is killed while a call is live. Another process with the same Redis ends the session.
func testKilledWatcher(t *testing.T, clip string) {
	needRuntime(t)
	c := startConference(t)
	db := redistest.Start(t)
	messages, _ := c.observer("room-5")
	cmd := exec.Command(os.Args[0], "-test.run=^TestRoomProcess$")
	cmd.Env = append(os.Environ(), "LIVEKIT_API_SECRET="+roomSecret, "LIVEPROOF_OPS_SANDBOX=auto", "LIVEPROOF_OPS_LISTEN=", roomEnv+"="+c.url+" room-5 "+db.URL())
	var log logBuffer
	cmd.Stderr = io.MultiWriter(testWriter{t}, &log)
	require.NoError(t, cmd.Start())
	kill := sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(kill)
	c.camera(c.join("room-5", "alice", nil), clip)
	m := until(t, messages, "no verdict live", told(liveproof.OutcomeLive, false))
	require.Contains(t, log.all(), "seccomp=true", "the sandbox is in force")
	kill()
	t.Setenv("LIVEKIT_API_SECRET", roomSecret)
	c.watch("--room", "room-6", "--redis", db.URL())
	require.Eventually(t, func() bool { return record(t, db.URL(), m.Session).State == liveproof.StateExpired }, 2*time.Minute, 200*time.Millisecond)
	ended := record(t, db.URL(), m.Session)
	require.Equal(t, liveproof.OutcomeInconclusive, ended.Verdict.Outcome)
	require.Contains(t, ended.Verdict.Reasons, liveproof.ReasonServerLost)
}

// testLayers: LiveKit's webhook tells of a room. Of three simulcast layers the smallest in which a face can be judged is asked for, and it becomes
// live. When the room is deleted, the session ends, and a room of the same name is watched again.
func testLayers(t *testing.T) {
	hooks := "127.0.0.1:" + strconv.Itoa(freePort(t, "tcp"))
	c := startConference(t, "http://"+hooks)
	w := c.watch("--listen", hooks, "--identity", "alice")
	require.Eventually(t, func() bool { return len(w.log.lines("taking webhooks")) > 0 }, time.Minute, 20*time.Millisecond)
	messages, _ := c.observer("room-4")
	alice := c.join("room-4", "alice", nil)
	var tracks []*lksdk.LocalTrack
	for quality, scale := range []string{"320:240", "640:480", "1280:960"} {
		args := personArgs(t, "person_A_640x480.mjpeg", "20")
		args[slices.Index(args, "-vf")+1] += ",scale=" + scale
		raw, err := os.ReadFile(encodeIVF(t, args...))
		require.NoError(t, err)
		var width, height uint32
		_, err = fmt.Sscanf(scale, "%d:%d", &width, &height)
		require.NoError(t, err)
		track, err := lksdk.NewLocalReaderTrack(io.NopCloser(bytes.NewReader(raw)), webrtc.MimeTypeVP8, lksdk.ReaderTrackWithFrameDuration(time.Second/30),
			lksdk.ReaderTrackWithSampleOptions(lksdk.WithSimulcast("camera", &lkproto.VideoLayer{
				Quality: lkproto.VideoQuality(quality), Width: width, Height: height,
			})))
		require.NoError(t, err)
		tracks = append(tracks, track)
	}
	_, err := alice.LocalParticipant.PublishSimulcastTrack(tracks, &lksdk.TrackPublicationOptions{Name: "cam", Source: lkproto.TrackSource_CAMERA})
	require.NoError(t, err)
	until(t, messages, "no verdict live", told(liveproof.OutcomeLive, false))
	asked := w.log.lines("msg=layer")
	require.Len(t, asked, 1, "%v", asked)
	require.Contains(t, asked[0], "quality=MEDIUM width=640 height=480")

	_, err = c.rooms().DeleteRoom(t.Context(), &lkproto.DeleteRoomRequest{Room: "room-4"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(w.log.all(), "session ended") }, time.Minute, 20*time.Millisecond)
	c.join("room-4", "alice", nil)
	require.Eventually(t, func() bool { return strings.Count(w.log.all(), "room joined") >= 2 }, time.Minute, 20*time.Millisecond)
}

// testRefusal: a wrong secret is told as such, and so is a server that is not there.
func testRefusal(t *testing.T) {
	c := startConference(t)
	for secret, want := range map[string]string{"a wrong secret, which is long enough": "refuses the API key or its secret", "": "LIVEKIT_API_SECRET"} {
		t.Setenv("LIVEKIT_API_SECRET", secret)
		w := c.watch("--room", "room-3")
		select {
		case err := <-w.done:
			require.ErrorContains(t, err, want)
			var wrong *exitError
			require.ErrorAs(t, err, &wrong)
		case <-time.After(time.Minute):
			t.Fatal("the watcher does not end")
		}
	}
	c.kill()
	t.Setenv("LIVEKIT_API_SECRET", roomSecret)
	w := c.watch("--room", "room-3")
	select {
	case err := <-w.done:
		require.ErrorContains(t, err, "does not answer")
	case <-time.After(time.Minute):
		t.Fatal("the watcher does not end")
	}
}
