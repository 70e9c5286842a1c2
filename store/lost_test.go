package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
)

// eventNames lists what the stream of events holds.
func eventNames(t *testing.T, r *Redis) (names []string) {
	t.Helper()
	events, err := r.db.XRange(t.Context(), eventsKey, "-", "+").Result()
	require.NoError(t, err)
	for _, e := range events {
		names = append(names, e.Values["event"].(string))
	}
	return names
}

// TestRefusedEventIsToldLater: the stream refuses an event (as when Redis is out of
// memory); the change stays in "untold".
func TestRefusedEventIsToldLater(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	made := create(t, r)
	require.NoError(t, r.db.Rename(t.Context(), eventsKey, "aside").Err())
	require.NoError(t, r.db.Set(t.Context(), eventsKey, "not a stream", 0).Err())
	require.Error(t, decide(r, made.ID, decided(spoof())))
	require.NoError(t, r.db.Rename(t.Context(), "aside", eventsKey).Err())
	require.NoError(t, decide(r, made.ID, decided(spoof())))
	require.Equal(t, []string{"created", "decided"}, eventNames(t, r))
}

// TestDeleteTellsWhatIsUntold: a server died between a change and its event, and
// the session is deleted before another server has added the event.
func TestDeleteTellsWhatIsUntold(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	made := create(t, r)
	require.NoError(t, decide(r, made.ID, decided(spoof())))
	require.NoError(t, r.db.HSet(t.Context(), sessionKey(made.ID), "untold", "decided:spoof:0.125").Err())
	require.NoError(t, r.db.Del(t.Context(), eventsKey).Err())
	require.NoError(t, r.Delete(t.Context(), made.ID))
	require.Equal(t, []string{"decided", "deleted"}, eventNames(t, r))
}

// TestBrokenRecordStopsNoSweep: one record cannot be read; the others are found nevertheless.
func TestBrokenRecordStopsNoSweep(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	var made []liveproof.SessionID
	for range 64 { // in every part of the index
		s := newSession(time.Hour)
		s.Lease.Until = time.Now().Add(-time.Second)
		stored, _, err := r.Create(t.Context(), s, "", "")
		require.NoError(t, err)
		made = append(made, stored.ID)
	}
	require.NoError(t, r.db.HSet(t.Context(), sessionKey(made[0]), "deadline", "soon").Err())
	found, err := r.Lapsed(t.Context(), 1600)
	require.ErrorContains(t, err, "deadline")
	require.NotErrorIs(t, err, liveproof.ErrUnavailable)
	require.Len(t, found, 63)
}

// TestWithoutReplicasNothingIsHandled: where Config.Replicas cannot be had, an end is not told, its event is still to be told, and a webhook does not count as
// kept; all of it is done as soon as the replicas are there, or are not asked for any more.
func TestWithoutReplicasNothingIsHandled(t *testing.T) {
	cfg := testConfig(redistest.Start(t).URL())
	plain := newRedis(t, cfg)
	cfg.Replicas, cfg.CallTimeout = 1, 200*time.Millisecond
	waiting := newRedis(t, cfg)
	made := create(t, waiting)
	require.NoError(t, waiting.Claim(t.Context(), made.ID, "t", held()), "only ends wait")
	require.ErrorIs(t, decide(waiting, made.ID, decided(spoof())), liveproof.ErrUnavailable)
	untold, err := plain.db.HGet(t.Context(), sessionKey(made.ID), "untold").Result()
	require.NoError(t, err)
	require.Contains(t, untold, "decided#3")
	letter := liveproof.Delivery{Key: "k", Tenant: "bank", Body: []byte("{}")}
	require.ErrorIs(t, waiting.Enqueue(t.Context(), letter), liveproof.ErrUnavailable)

	require.NoError(t, decide(plain, made.ID, decided(spoof())))
	require.NoError(t, plain.Enqueue(t.Context(), letter))
	due, err := plain.Due(t.Context(), "bank", time.Minute, 10)
	require.NoError(t, err)
	require.Len(t, due, 1, "kept once")
	names := eventNames(t, plain)
	require.Equal(t, []string{"created", "connecting", "decided"}, names[:3], "%v", names)
	require.Subset(t, []string{"decided"}, names[3:], "told again, with the same number")
}
