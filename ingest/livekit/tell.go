package livekit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/twitchtv/twirp"

	"github.com/liveproof/liveproof"
)

const (
	// Topic is that of data messages.
	Topic = "liveproof"
	// holds is how long a told verdict holds. It is told again every refresh, so that what a watcher said that is gone is not believed for long.
	holds, refresh = 30 * time.Second, 10 * time.Second
	tellTimeout    = 5 * time.Second
	maxQueued      = 256 // data messages
)

// Message is a data message, and what the attributes of a participant say. It has neither ρ nor θ, because the person who is watched may read it.
type Message struct {
	Type     string              `json:"type"` // "verdict"
	Session  liveproof.SessionID `json:"session"`
	Identity string              `json:"identity"`
	Track    string              `json:"track"`
	Verdict  liveproof.Outcome   `json:"verdict"`
	Result   liveproof.Result    `json:"result"`
	Reasons  []liveproof.Reason  `json:"reasons"`
	// Final: the session has ended. What the track shows from then on is not judged by it.
	Final bool `json:"final"`
	// ValidUntil is when the verdict holds no longer unless it is told again; Unix milliseconds.
	ValidUntil int64 `json:"valid_until"`
}

// severity orders outcomes: of a participant with several cameras the attributes tell the worst.
var severity = []liveproof.Outcome{liveproof.OutcomeLive, liveproof.OutcomePending, liveproof.OutcomeInconclusive, liveproof.OutcomeSpoof}

// teller tells the room. Its goroutine (run) makes all requests; the others only leave word.
type teller struct {
	cfg   Config
	rooms Rooms
	log   *slog.Logger
	now   func() time.Time
	wake  chan struct{}

	mu       sync.Mutex
	standing map[string]map[string]Message // identity → track → newest
	changed  map[string]bool               // identities whose attributes are to be written
	queue    []Message
}

func newTeller(cfg Config, rooms Rooms, log *slog.Logger) *teller {
	return &teller{
		cfg: cfg, rooms: rooms, log: log, now: time.Now, wake: make(chan struct{}, 1),
		standing: make(map[string]map[string]Message), changed: make(map[string]bool),
	}
}

// tell leaves word of a verdict.
func (t *teller) tell(m Message) {
	m.Type, m.Result, m.Reasons = "verdict", m.Verdict.Result(), append([]liveproof.Reason{}, m.Reasons...)
	m.ValidUntil = t.now().Add(holds).UnixMilli()
	t.mu.Lock()
	if t.standing[m.Identity] == nil {
		t.standing[m.Identity] = make(map[string]Message)
	}
	t.standing[m.Identity][m.Track] = m
	t.changed[m.Identity] = true
	if len(t.queue) == maxQueued { // the server does not answer; the newest count
		t.queue = t.queue[1:]
	}
	t.queue = append(t.queue, m)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// gone forgets a track that is not there any more.
func (t *teller) gone(identity, track string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.standing[identity], track)
	if len(t.standing[identity]) == 0 {
		delete(t.standing, identity)
		return
	}
	t.changed[identity] = true
}

// run tells until ctx ends, and then what is left. A request that is under way then goes on, because it may tell the end of a session.
func (t *teller) run(ctx context.Context) {
	requests := context.WithoutCancel(ctx)
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		select {
		case <-t.wake:
		case <-tick.C:
			t.renew()
		case <-ctx.Done():
			t.flush(requests)
			return
		}
		t.flush(requests)
	}
}

// renew prolongs the verdicts of sessions that run.
func (t *teller) renew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	until := t.now().Add(holds).UnixMilli()
	for identity, tracks := range t.standing {
		for track, m := range tracks {
			if !m.Final {
				m.ValidUntil = until
				tracks[track] = m
				t.changed[identity] = true
			}
		}
	}
}

// take returns what is to be told now.
func (t *teller) take() (queue []Message, worst map[string]Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue, t.queue = t.queue, nil
	worst = make(map[string]Message)
	for identity := range t.changed {
		if tracks := t.standing[identity]; len(tracks) > 0 {
			worst[identity] = worstOf(tracks)
		}
	}
	clear(t.changed)
	return queue, worst
}

// worstOf prefers what is not final among equals, because it is about what is shown now.
func worstOf(tracks map[string]Message) Message {
	return slices.MaxFunc(slices.Collect(maps.Values(tracks)), func(a, b Message) int {
		final := map[bool]int{true: 0, false: 1}
		return cmp.Or(cmp.Compare(slices.Index(severity, a.Verdict), slices.Index(severity, b.Verdict)),
			cmp.Compare(final[a.Final], final[b.Final]), cmp.Compare(a.Track, b.Track))
	})
}

func (t *teller) flush(ctx context.Context) {
	queue, worst := t.take()
	for _, m := range queue { // first, because the server is slow to answer for a participant who has left
		if t.cfg.Data {
			t.send(ctx, m)
		}
	}
	if t.cfg.Attributes {
		for identity, m := range worst {
			t.attributes(ctx, identity, m)
		}
	}
}

// attributes writes a participant's attributes; one that failed is tried again with the next refresh.
func (t *teller) attributes(ctx context.Context, identity string, m Message) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	_, err := t.rooms.UpdateParticipant(ctx, &livekit.UpdateParticipantRequest{Room: t.cfg.Room, Identity: identity, Attributes: attributesOf(m)})
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil || isNotFound(err) || len(t.standing[identity]) == 0 { // without a track the participant has left, or is leaving
		return
	}
	t.changed[identity] = true
	t.log.Warn("the participant's attributes could not be written", "participant", identity, "err", err)
}

func attributesOf(m Message) map[string]string {
	reasons := make([]string, len(m.Reasons))
	for i, r := range m.Reasons {
		reasons[i] = string(r)
	}
	return map[string]string{
		"liveproof.session": string(m.Session), "liveproof.verdict": string(m.Verdict), "liveproof.result": string(m.Result),
		"liveproof.reasons": strings.Join(reasons, ","), "liveproof.final": strconv.FormatBool(m.Final),
		"liveproof.valid_until": strconv.FormatInt(m.ValidUntil, 10),
	}
}

func (t *teller) send(ctx context.Context, m Message) {
	body, err := json.Marshal(m)
	if err != nil {
		t.log.Error("data message", "err", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	topic := Topic
	_, err = t.rooms.SendData(ctx, &livekit.SendDataRequest{
		Room: t.cfg.Room, Data: body, Kind: livekit.DataPacket_RELIABLE, Topic: &topic, DestinationIdentities: t.cfg.DataTo,
	})
	if err != nil && !isNotFound(err) {
		t.log.Warn("a data message could not be sent", "session", m.Session, "err", err)
	}
}

func isNotFound(err error) bool { return codeOf(err) == twirp.NotFound }

// codeOf is the server's error code; "" of an error that is not the server's.
func codeOf(err error) twirp.ErrorCode {
	if answer, ok := errors.AsType[twirp.Error](err); ok {
		return answer.Code()
	}
	return ""
}
