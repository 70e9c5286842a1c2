package store

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
)

// TestAFullQueueIsItsTenantsOnly: above the bound a tenant's messages are refused, the other tenants' are not, and room comes back.
func TestAFullQueueIsItsTenantsOnly(t *testing.T) {
	m := NewMemory(DefaultConfig(), time.Now)
	require.NoError(t, m.WatchChanges(t.Context()))
	letter := func(tenant string, n int) liveproof.Delivery {
		return liveproof.Delivery{Key: tenant + strconv.Itoa(n), Tenant: tenant}
	}
	for n := range maxOutbox {
		require.NoError(t, m.Enqueue(t.Context(), letter("a", n)))
	}
	require.NoError(t, m.Enqueue(t.Context(), letter("a", 0)), "it is kept already")
	require.ErrorIs(t, m.Enqueue(t.Context(), letter("a", maxOutbox)), liveproof.ErrOverloaded)
	require.NoError(t, m.Enqueue(t.Context(), letter("b", 0)))
	require.NoError(t, m.Delivered(t.Context(), letter("a", 0)))
	require.NoError(t, m.Delivered(t.Context(), letter("a", 0)), "again")
	require.NoError(t, m.Enqueue(t.Context(), letter("a", maxOutbox)))
	require.ErrorIs(t, m.Enqueue(t.Context(), letter("a", maxOutbox+1)), liveproof.ErrOverloaded)
}

// TestAChangeToldTwiceHasOneNumber: a server dies after it has added a change to the stream of events and before it has noted that, so
// another one adds the change again, later. Number and time are those of the change.
func TestAChangeToldTwiceHasOneNumber(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	require.NoError(t, r.WatchChanges(t.Context()))
	made := create(t, r)
	require.NoError(t, r.Claim(t.Context(), made.ID, "t", held()))
	require.NoError(t, r.SetStreaming(t.Context(), made.ID, liveproof.ModelInfo{}, liveproof.Threshold{}, "haar"))
	call := live
	call.Final = false
	require.NoError(t, r.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, call))
	told := verdicts(t, r)
	require.Len(t, told, 1)
	require.EqualValues(t, 4, told[0].Number, "created, connecting, streaming, verdict")
	stored, err := r.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, stored.ChangedAt, told[0].At)

	untold := fmt.Sprintf("verdict#%d@%d:live:0.875", told[0].Number, told[0].At.UnixMilli()) // as the script wrote it
	require.NoError(t, r.db.HSet(t.Context(), sessionKey(made.ID), "untold", untold).Err())
	time.Sleep(2 * time.Millisecond) // events have Redis's time
	require.NoError(t, decide(r, made.ID, decided(live)))
	again := verdicts(t, r)
	require.Len(t, again, 1)
	require.NotEqual(t, told[0].ID, again[0].ID, "told a second time")
	again[0].ID = told[0].ID
	require.Equal(t, told[0], again[0])
}

// verdicts are the changes of a verdict that were not read before.
func verdicts(t *testing.T, r *Redis) (found []liveproof.Change) {
	t.Helper()
	changes, err := r.Changes(t.Context())
	require.NoError(t, err)
	for _, c := range changes {
		if c.Event == liveproof.ChangeVerdict {
			found = append(found, c)
		}
	}
	return found
}

// TestEveryChangeHasItsNumber: in both stores, in the order of the changes, without gaps.
func TestEveryChangeHasItsNumber(t *testing.T) {
	redis := newRedis(t, testConfig(redistest.Start(t).URL()))
	for name, s := range map[string]storer{"memory": NewMemory(DefaultConfig(), time.Now), "redis": redis} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, s.WatchChanges(t.Context()))
			made := create(t, s)
			require.NoError(t, s.Claim(t.Context(), made.ID, "t", held()))
			require.NoError(t, s.SetStreaming(t.Context(), made.ID, liveproof.ModelInfo{}, liveproof.Threshold{}, "haar"))
			call := live
			call.Final = false
			for range 2 { // the second one changes nothing
				require.NoError(t, s.AppendSamples(t.Context(), made.ID, nil, counts, call))
			}
			for range 2 {
				require.NoError(t, decide(s, made.ID, decided(live)))
			}
			numbers := map[string]int64{}
			changes, err := s.Changes(t.Context())
			require.NoError(t, err)
			for _, c := range changes {
				numbers[c.Event] = c.Number
			}
			require.EqualValues(t, 4, numbers["verdict"])
			require.EqualValues(t, 5, numbers["decided"])
		})
	}
}

// checkChanges: what happened to many sessions is told until it is acknowledged, and then no more.
func checkChanges(t *testing.T, s storer) {
	require.NoError(t, s.WatchChanges(t.Context()))
	require.NoError(t, s.WatchChanges(t.Context()), "again")
	events := map[string]int{"created": 1, "decided": 2}
	if _, inMemory := s.(*Memory); inMemory {
		delete(events, "created") // it tells what webhooks are about
	}
	want := map[string]bool{}
	for range 40 { // in every stream
		made := create(t, s)
		require.NoError(t, decide(s, made.ID, decided(live)))
		for event, number := range events {
			want[fmt.Sprintf("%s %s#%d", made.ID, event, number)] = true
		}
	}
	for end := time.Now().Add(20 * time.Second); len(want) > 0 && time.Now().Before(end); {
		changes, err := s.Changes(t.Context())
		require.NoError(t, err)
		for _, c := range changes {
			delete(want, fmt.Sprintf("%s %s#%d", c.Session, c.Event, c.Number))
		}
		require.NoError(t, s.Acknowledge(t.Context(), changes))
	}
	require.Empty(t, want)
	rest, err := s.Changes(t.Context())
	require.NoError(t, err)
	require.Empty(t, rest)
}

// checkDeliveries: a delivery is due until it is delivered or buried, and only its tenant's.
func checkDeliveries(t *testing.T, s storer) {
	require.NoError(t, s.WatchChanges(t.Context()))
	tenant := "tenant-" + string(newSession(0).ID)
	first := liveproof.Delivery{Key: tenant + "-1", Tenant: tenant, Body: []byte("one")}
	second := liveproof.Delivery{Key: tenant + "-2", Tenant: tenant, Body: []byte("two")}
	for range 2 {
		require.NoError(t, s.Enqueue(t.Context(), first))
	}
	require.NoError(t, s.Enqueue(t.Context(), second))
	due, err := s.Due(t.Context(), tenant, time.Minute, 10)
	require.NoError(t, err)
	require.ElementsMatch(t, []liveproof.Delivery{first, second}, due)
	due, err = s.Due(t.Context(), tenant, time.Minute, 10)
	require.NoError(t, err)
	require.Empty(t, due, "they are taken")
	first.Body = []byte("one, again")
	require.NoError(t, s.Postpone(t.Context(), first, 0))
	due, err = s.Due(t.Context(), tenant, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []liveproof.Delivery{first}, due)
	require.NoError(t, s.Delivered(t.Context(), first))
	require.NoError(t, s.Bury(t.Context(), second))
	due, err = s.Due(t.Context(), tenant, 0, 10)
	require.NoError(t, err)
	require.Empty(t, due)
}

// TestDeadLettersAreBoundedPerTenant: a tenant whose receiver is away for long forgets its own dead letters, and no other tenant's.
func TestDeadLettersAreBoundedPerTenant(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	bury := func(tenant string, n int) {
		d := liveproof.Delivery{Key: fmt.Sprintf("%s-%06d", tenant, n), Tenant: tenant, Body: []byte("{}")}
		require.NoError(t, r.bury(t.Context(), d, 3))
	}
	bury("bank-b", 0)
	for n := range 5 {
		time.Sleep(2 * time.Millisecond) // burials have Redis's time in milliseconds
		bury("bank-a", n)
	}
	keys := func() (all []string) {
		dead, err := r.Dead(t.Context())
		require.NoError(t, err)
		for _, d := range dead {
			all = append(all, d.Key)
		}
		return all
	}
	require.Equal(t, []string{"bank-b-000000", "bank-a-000002", "bank-a-000003", "bank-a-000004"}, keys(), "of all tenants, the oldest first")
	require.NoError(t, r.Revive(t.Context(), liveproof.Delivery{Key: "bank-a-000004", Tenant: "bank-a", Body: []byte("{}")}))
	bury("bank-a", 5)
	require.ElementsMatch(t, []string{"bank-b-000000", "bank-a-000002", "bank-a-000003", "bank-a-000005"}, keys(), "one that was sent again has given its place back")
}
