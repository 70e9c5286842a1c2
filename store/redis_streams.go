package store

import (
	"context"
	"errors"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/liveproof/liveproof"
)

// Events are spread over several streams, so that not one slot of a cluster has those of all sessions. All events of a session are in one
// stream, in their order.

// clusterStreams is the number of streams on a cluster unless Config.EventStreams says another one.
const clusterStreams = 16

// streams is the number of streams that events are written to and read from.
func (r *Redis) streams() int {
	switch _, cluster := r.db.(*redis.ClusterClient); {
	case r.cfg.EventStreams > 0:
		return r.cfg.EventStreams
	case cluster:
		return clusterStreams
	}
	return 1
}

// streamOf is the stream of a session's events.
func (r *Redis) streamOf(id liveproof.SessionID) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return streamKey(int(h.Sum32() % uint32(r.streams())))
}

// eachStream has the keys of all streams.
func (r *Redis) eachStream() []string {
	keys := make([]string, r.streams())
	for n := range keys {
		keys[n] = streamKey(n)
	}
	return keys
}

// WatchChanges prepares the outbox: changes from the first call on, of any server, are kept until they are acknowledged, as long as
// the streams of events hold them (events_max_len).
func (r *Redis) WatchChanges(ctx context.Context) error {
	for _, stream := range r.eachStream() {
		if err := r.watchFrom(ctx, stream, "$"); err != nil {
			return err
		}
	}
	return nil
}

func (r *Redis) watchFrom(ctx context.Context, stream, start string) error {
	err := r.db.XGroupCreateMkStream(ctx, stream, webhookGroup, start).Err()
	if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return nil
	}
	return mapError(err)
}

// Changes implements webhooks.Outbox. Those that another server took and left come first.
func (r *Redis) Changes(ctx context.Context) ([]liveproof.Change, error) {
	abandoned, err := r.abandoned(ctx)
	if err != nil || len(abandoned) > 0 {
		return abandoned, err
	}
	return r.unread(ctx)
}

// share is how many changes are taken from one stream at a time.
func (r *Redis) share() int64 { return int64(max(1, changesAtOnce/r.streams())) }

// abandoned are changes that were taken and not acknowledged in time.
func (r *Redis) abandoned(ctx context.Context) (changes []liveproof.Change, err error) {
	streams, pipe := r.eachStream(), r.db.Pipeline()
	claimed := make([]*redis.XAutoClaimCmd, len(streams))
	for n, stream := range streams {
		claimed[n] = pipe.XAutoClaim(ctx, &redis.XAutoClaimArgs{
			Stream: stream, Group: webhookGroup, Consumer: webhookConsumer, MinIdle: r.reclaimAfter, Start: "0", Count: r.share(),
		})
	}
	_, _ = pipe.Exec(ctx) // each command has its error
	for n, cmd := range claimed {
		messages, _, err := cmd.Result()
		if err != nil && strings.HasPrefix(err.Error(), "NOGROUP") {
			err = r.watchFrom(ctx, streams[n], "0") // Redis has lost its data: all that is in the stream is new
		}
		if err != nil {
			return nil, mapError(err)
		}
		changes = append(changes, changesOf(streams[n], messages)...)
	}
	return changes, nil
}

// unread are changes that nobody has taken.
func (r *Redis) unread(ctx context.Context) (changes []liveproof.Change, err error) {
	streams, pipe := r.eachStream(), r.db.Pipeline()
	read := make([]*redis.XStreamSliceCmd, len(streams))
	for n, stream := range streams {
		read[n] = pipe.XReadGroup(ctx, &redis.XReadGroupArgs{
			Group: webhookGroup, Consumer: webhookConsumer, Streams: []string{stream, ">"}, Count: r.share(), Block: -1,
		})
	}
	_, _ = pipe.Exec(ctx) // each command has its error
	for n, cmd := range read {
		found, err := cmd.Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, mapError(err) // what other streams gave is abandoned, and so comes again
		}
		for _, stream := range found {
			changes = append(changes, changesOf(streams[n], stream.Messages)...)
		}
	}
	return changes, nil
}

// changesOf reads a stream's messages. A change's ID has the stream before the message's own, because only both together name it.
func changesOf(stream string, messages []redis.XMessage) []liveproof.Change {
	changes := make([]liveproof.Change, len(messages))
	for i, m := range messages {
		field := func(name string) string { text, _ := m.Values[name].(string); return text }
		at, err := strconv.ParseInt(field("changed_at"), 10, 64)
		if err != nil { // of a version that did not write it; the id of an event begins with Redis's time
			told, _, _ := strings.Cut(m.ID, "-")
			at, _ = strconv.ParseInt(told, 10, 64)
		}
		number, _ := strconv.ParseInt(field("number"), 10, 64)
		changes[i] = liveproof.Change{
			ID: stream + "/" + m.ID, Session: liveproof.SessionID(field("session")), Number: number, Event: field("event"),
			Verdict: liveproof.Outcome(field("verdict")), At: time.UnixMilli(at).UTC(),
		}
	}
	return changes
}

// Acknowledge implements webhooks.Outbox.
func (r *Redis) Acknowledge(ctx context.Context, changes []liveproof.Change) error {
	ids := make(map[string][]string)
	for _, c := range changes {
		at := strings.LastIndex(c.ID, "/")
		ids[c.ID[:at]] = append(ids[c.ID[:at]], c.ID[at+1:])
	}
	pipe := r.db.Pipeline()
	for stream, of := range ids {
		pipe.XAck(ctx, stream, webhookGroup, of...)
	}
	_, err := pipe.Exec(ctx)
	return mapError(err)
}

// publish adds changes to the stream of events.
func (r *Redis) publish(ctx context.Context, id liveproof.SessionID, untold string) error {
	if untold == "" {
		return nil
	}
	stream := r.streamOf(id)
	add := func(pipe redis.Pipeliner) {
		for change := range strings.FieldsSeq(untold) {
			pipe.XAdd(ctx, &redis.XAddArgs{
				Stream: stream, MaxLen: max(1, r.cfg.EventsMaxLen/int64(r.streams())), Approx: true, Values: eventOf(id, change),
			})
		}
	}
	if tellsAnEnd(untold) {
		return r.replicate(ctx, stream, add)
	}
	pipe := r.db.Pipeline()
	add(pipe)
	_, err := pipe.Exec(ctx)
	return mapError(err)
}

// tellsAnEnd reports whether one of the changes is the end of a session, which Config.Replicas is for.
func tellsAnEnd(untold string) bool {
	for change := range strings.FieldsSeq(untold) {
		event, _, _ := strings.Cut(change, "#")
		event, _, _ = strings.Cut(event, ":")
		if liveproof.State(event).Terminal() {
			return true
		}
	}
	return false
}
