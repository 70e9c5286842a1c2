package livekit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
	"github.com/twitchtv/twirp"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/internal/ids"
)

// Deps are what the watcher works with; all are required.
type Deps struct {
	Sessions Sessions
	Tracks   *rtc.Tracks
	Peers    *Peers // of the supervisor that runs the sessions
	// Require is the evidence that a session of a tenant requires.
	Require func(tenant string, mode liveproof.Mode, asked []liveproof.Evidence) []liveproof.Evidence
	Log     *slog.Logger
}

// Agent watches one room. It runs once.
type Agent struct {
	cfg        Config
	deps       Deps
	log        *slog.Logger
	rooms      Rooms
	teller     *teller
	supervisor Supervisor

	mu      sync.Mutex // held while a watch begins and when a visit ends
	watches sync.WaitGroup
}

const (
	joinTimeout = 10 * time.Second
	rejoinAfter = 2 * time.Second
	rejoinMost  = 30 * time.Second
	packetMTU   = 1600
)

// quiet keeps LiveKit's library from logging, because its messages hold the tokens with which it connects.
var quiet = sync.OnceFunc(func() { lksdk.SetLogger(logger.GetDiscardLogger()) })

// New checks the configuration; nothing is joined before Run.
func New(cfg Config, deps Deps) (*Agent, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	quiet()
	log := deps.Log.With("room", cfg.Room)
	rooms := lksdk.NewRoomServiceClient(cfg.URL, cfg.Key, cfg.Secret)
	return &Agent{cfg: cfg, deps: deps, log: log, rooms: rooms, teller: newTeller(cfg, rooms, log)}, nil
}

func (a *Agent) newSession(identity string) liveproof.Session {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return liveproof.Session{
		ID: liveproof.SessionID(ids.New(now)), Tenant: a.cfg.Tenant, Mode: liveproof.ModeCall, ExternalID: externalID(a.cfg.Room, identity),
		State: liveproof.StateCreated, Verdict: liveproof.Pending(), CreatedAt: now, ExpiresAt: now.Add(a.cfg.RecordTTL),
		Lease: liveproof.Lease{Until: now.Add(time.Minute)}, Require: a.deps.Require(a.cfg.Tenant, liveproof.ModeCall, nil),
	}
}

// Run watches the room until it is closed or ctx ends, and returns when every session has ended. When the connection to the server is lost, it joins
// again; the first join must succeed. joined is called with it. The error is ErrRefused, ErrRemoved or that of the first join.
func (a *Agent) Run(ctx context.Context, s Supervisor, joined func()) error {
	a.supervisor = s
	if err := a.checkAccess(ctx); err != nil {
		return err
	}
	telling, stop := context.WithCancel(context.WithoutCancel(ctx))
	var teller sync.WaitGroup
	teller.Go(func() { a.teller.run(telling) })
	defer teller.Wait()
	defer stop()
	return a.stay(ctx, joined)
}

// checkAccess asks the server something harmless, because it then says clearly what is wrong with the key.
func (a *Agent) checkAccess(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	_, err := a.rooms.ListParticipants(ctx, &livekit.ListParticipantsRequest{Room: a.cfg.Room})
	switch {
	case err == nil || isNotFound(err): // the room is made when it is joined
		return nil
	case codeOf(err) == twirp.Unauthenticated || codeOf(err) == twirp.PermissionDenied:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return fmt.Errorf("the LiveKit server at %s does not answer: %w", a.cfg.URL, err)
}

// wanted reports whether somebody who is watched is in the room.
func (a *Agent) wanted(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	list, err := a.rooms.ListParticipants(ctx, &livekit.ListParticipantsRequest{Room: a.cfg.Room})
	if err != nil {
		return false
	}
	return slices.ContainsFunc(list.GetParticipants(), func(p *livekit.ParticipantInfo) bool { return a.cfg.watches(p.GetIdentity(), p.GetKind()) })
}

func (a *Agent) stay(ctx context.Context, joined func()) error {
	wait := rejoinAfter
	for first := true; ; first = false {
		began := time.Now()
		again, err := a.visit(ctx, joined)
		if ctx.Err() != nil || !again || err != nil && first {
			return err
		}
		if time.Since(began) > rejoinMost {
			wait = rejoinAfter
		}
		joined = func() {}
		a.log.Warn("the connection to the LiveKit server was lost", "err", err, "again_in", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, rejoinMost)
	}
}

// visit joins the room and stays until it is left; again says that it may be joined again.
func (a *Agent) visit(ctx context.Context, joined func()) (again bool, err error) {
	left := make(chan livekit.DisconnectReason, 1)
	within, leave := context.WithCancel(ctx)
	defer a.watches.Wait()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		leave()
	}()
	room := lksdk.NewRoom(a.callbacks(within, func(why livekit.DisconnectReason) {
		select {
		case left <- why:
		default:
		}
	}))
	token, err := a.token()
	if err != nil {
		return false, err
	}
	joining, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	if err := room.JoinWithContextAndToken(joining, a.cfg.URL, token, lksdk.WithAutoSubscribe(false), lksdk.WithLogger(logger.GetDiscardLogger())); err != nil {
		return true, fmt.Errorf("the room could not be joined: %w", err)
	}
	defer room.Disconnect()
	a.log.Info("room joined")
	joined()
	for _, p := range room.GetRemoteParticipants() {
		for _, publication := range p.TrackPublications() {
			if remote, ok := publication.(*lksdk.RemoteTrackPublication); ok {
				a.subscribe(remote, p)
			}
		}
	}
	select {
	case <-ctx.Done():
		return false, nil
	case <-left:
		return a.after(room.DisconnectReason())
	}
}

// begin runs a watch, unless the visit is over: its end waits for those that run.
func (a *Agent) begin(visit context.Context, follow func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if visit.Err() == nil {
		a.watches.Go(follow)
	}
}

// after says what follows from the end of a visit.
func (a *Agent) after(why livekit.DisconnectReason) (again bool, err error) {
	a.log.Info("room left", "why", why.String())
	switch why {
	case livekit.DisconnectReason_ROOM_DELETED, livekit.DisconnectReason_ROOM_CLOSED:
		return false, nil
	case livekit.DisconnectReason_PARTICIPANT_REMOVED, livekit.DisconnectReason_DUPLICATE_IDENTITY:
		return false, fmt.Errorf("%w: %s", ErrRemoved, why)
	}
	return true, nil
}

// token lets the watcher join the room, unseen, and subscribe. It can publish nothing, not even data: the room is told by the server's API.
// Its kind is that of agents, because any other participant would keep the room open when all others have left.
func (a *Agent) token() (string, error) {
	yes, no := true, false
	return auth.NewAccessToken(a.cfg.Key, a.cfg.Secret).SetIdentity(a.cfg.As).SetValidFor(time.Hour).SetKind(livekit.ParticipantInfo_AGENT).SetVideoGrant(&auth.VideoGrant{
		RoomJoin: true, Room: a.cfg.Room, Hidden: true, CanSubscribe: &yes, CanPublish: &no, CanPublishData: &no, CanUpdateOwnMetadata: &no,
	}).ToJWT()
}

func (a *Agent) callbacks(ctx context.Context, left func(livekit.DisconnectReason)) *lksdk.RoomCallback {
	return &lksdk.RoomCallback{
		OnDisconnected: func() { left(livekit.DisconnectReason_UNKNOWN_REASON) },
		ParticipantCallback: lksdk.ParticipantCallback{
			OnTrackPublished: func(publication *lksdk.RemoteTrackPublication, p *lksdk.RemoteParticipant) {
				a.subscribe(publication, p)
			},
			OnTrackSubscribed: func(track *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, p *lksdk.RemoteParticipant) {
				if a.wants(publication, p) {
					a.begin(ctx, func() { a.follow(ctx, track, publication, p) })
				}
			},
			OnTrackSubscriptionFailed: func(sid string, p *lksdk.RemoteParticipant) {
				a.log.Warn("the server gives no access to a track, which is not judged", "participant", p.Identity(), "track", sid)
			},
		},
	}
}

// wants reports whether a track is the camera of a participant who is watched.
func (a *Agent) wants(publication *lksdk.RemoteTrackPublication, p *lksdk.RemoteParticipant) bool {
	return publication.Kind() == lksdk.TrackKindVideo && publication.Source() == livekit.TrackSource_CAMERA &&
		a.cfg.watches(p.Identity(), livekit.ParticipantInfo_Kind(p.Kind()))
}

func (a *Agent) subscribe(publication *lksdk.RemoteTrackPublication, p *lksdk.RemoteParticipant) {
	if !a.wants(publication, p) {
		return
	}
	if publication.TrackInfo().GetEncryption() != livekit.Encryption_NONE {
		a.log.Warn("a track is encrypted from end to end, and cannot be judged", "participant", p.Identity(), "track", publication.SID())
		return
	}
	if err := publication.SetSubscribed(true); err != nil {
		a.log.Warn("a track could not be subscribed to", "participant", p.Identity(), "track", publication.SID(), "err", err)
	}
}

// follow reads a track until it ends or ctx does. The server may forward codecs that are not decoded here.
func (a *Agent) follow(ctx context.Context, track *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, p *lksdk.RemoteParticipant) {
	if codec := codecOf(track.Codec()); !rtc.Known(codec) {
		a.log.Warn("a track's codec is not decoded, and cannot be judged", "participant", p.Identity(), "track", publication.SID(), "codec", codec)
		return
	}
	w := a.newWatch(source{
		identity: p.Identity(), sid: publication.SID(), codec: track.Codec(),
		layers: func() []*livekit.VideoLayer { return layersOf(publication.TrackInfo(), track.Codec().MimeType) }, choose: publication.SetVideoQuality,
		requestKeyFrame: func() { p.WritePLI(track.SSRC()) },
	})
	defer w.stop()
	w.chooseLayer()
	stop := context.AfterFunc(ctx, func() { _ = track.SetReadDeadline(time.Now()) })
	defer stop()
	buffer := make([]byte, packetMTU)
	for {
		n, _, err := track.Read(buffer)
		if err != nil || ctx.Err() != nil {
			w.log.Info("track ended", "why", errors.Join(err, ctx.Err()))
			return
		}
		w.take(ctx, buffer[:n], time.Now())
	}
}

// layersOf are the layers of a track in a codec; one of the track's own size where the publisher announced none.
func layersOf(t *livekit.TrackInfo, mime string) []*livekit.VideoLayer {
	for _, codec := range t.GetCodecs() {
		if strings.EqualFold(codec.GetMimeType(), mime) && len(codec.GetLayers()) > 0 {
			return codec.GetLayers()
		}
	}
	if layers := t.GetLayers(); len(layers) > 0 { //nolint:staticcheck // servers that know no layers of a codec fill it
		return layers
	}
	if t.GetWidth() == 0 {
		return nil
	}
	return []*livekit.VideoLayer{{Quality: livekit.VideoQuality_HIGH, Width: t.GetWidth(), Height: t.GetHeight()}}
}
