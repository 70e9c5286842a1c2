package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
	"github.com/liveproof/liveproof/internal/redistest"
)

// begun makes a tenant's session with a ULID that was made ago.
func begun(t *testing.T, s storer, tenant, externalID string, ago time.Duration) liveproof.Session {
	t.Helper()
	made := newSession(2 * time.Hour)
	made.CreatedAt = made.CreatedAt.Add(-ago)
	made.ID, made.Tenant, made.ExternalID = liveproof.SessionID(ids.New(made.CreatedAt)), tenant, externalID
	made, _, err := s.Create(t.Context(), made, "", "")
	require.NoError(t, err)
	return made
}

// listAll follows the pages to their end.
func listAll(t *testing.T, s storer, q liveproof.SessionQuery) (found []liveproof.SessionID) {
	t.Helper()
	for pages := 0; ; pages++ {
		require.Less(t, pages, 1000, "the pages end")
		page, err := s.List(t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Sessions), q.Limit)
		for _, x := range page.Sessions {
			found = append(found, x.ID)
		}
		if page.Next == "" {
			return found
		}
		q.After = page.Next
	}
}

func checkList(t *testing.T, s storer) {
	const tenant = "lists"
	var made []liveproof.SessionID
	for i := range 7 {
		made = append(made, begun(t, s, tenant, fmt.Sprint("person-", i%3), time.Duration(i)*time.Minute).ID)
	}
	begun(t, s, "another", "person-0", 0)
	now := time.Now()
	require.NoError(t, s.Claim(t.Context(), made[1], "token", held()))
	require.NoError(t, s.SetStreaming(t.Context(), made[1], liveproof.ModelInfo{}, liveproof.Threshold{}, "haar"))
	require.NoError(t, decide(s, made[1], decided(spoof())))
	for name, x := range map[string]struct {
		query liveproof.SessionQuery
		want  []int
	}{
		"all, newest first":      {liveproof.SessionQuery{}, []int{0, 1, 2, 3, 4, 5, 6}},
		"external id":            {liveproof.SessionQuery{ExternalID: "person-1"}, []int{1, 4}},
		"unknown external id":    {liveproof.SessionQuery{ExternalID: "nobody"}, nil},
		"state":                  {liveproof.SessionQuery{State: liveproof.StateDecided}, []int{1}},
		"verdict":                {liveproof.SessionQuery{Verdict: liveproof.OutcomeSpoof}, []int{1}},
		"pending":                {liveproof.SessionQuery{Verdict: liveproof.OutcomePending, ExternalID: "person-1"}, []int{4}},
		"state and verdict":      {liveproof.SessionQuery{State: liveproof.StateCreated, Verdict: liveproof.OutcomeSpoof}, nil},
		"from":                   {liveproof.SessionQuery{From: now.Add(-150 * time.Second)}, []int{0, 1, 2}},
		"until":                  {liveproof.SessionQuery{Until: now.Add(-270 * time.Second)}, []int{5, 6}},
		"from and until":         {liveproof.SessionQuery{From: now.Add(-210 * time.Second), Until: now.Add(-90 * time.Second)}, []int{2, 3}},
		"nothing in that time":   {liveproof.SessionQuery{From: now.Add(time.Hour)}, nil},
		"the year 1 to the last": {liveproof.SessionQuery{From: time.Time{}.Add(1), Until: now.AddDate(9000, 0, 0)}, []int{0, 1, 2, 3, 4, 5, 6}},
	} {
		var want []liveproof.SessionID
		for _, i := range x.want {
			want = append(want, made[i])
		}
		for _, limit := range []int{1, 2, 3, 7, 100} {
			x.query.Tenant, x.query.Limit = tenant, limit
			require.Equal(t, want, listAll(t, s, x.query), "%s, %d a page", name, limit)
		}
	}
	require.NoError(t, s.Delete(t.Context(), made[0]))
	require.Equal(t, made[1:], listAll(t, s, liveproof.SessionQuery{Tenant: tenant, Limit: 2}))
	require.Equal(t, []liveproof.SessionID{made[3], made[6]}, listAll(t, s, liveproof.SessionQuery{Tenant: tenant, ExternalID: "person-0", Limit: 9}))
}

// checkListSameMoment: sessions of one millisecond come once each.
func checkListSameMoment(t *testing.T, s storer) {
	at := time.Now().UTC().Truncate(time.Millisecond)
	var made []liveproof.SessionID
	for range 20 {
		x := newSession(time.Hour)
		x.CreatedAt, x.ID, x.Tenant = at, liveproof.SessionID(ids.New(at)), "moment"
		_, _, err := s.Create(t.Context(), x, "", "")
		require.NoError(t, err)
		made = append(made, x.ID)
	}
	slices.Sort(made)
	slices.Reverse(made)
	require.Equal(t, made, listAll(t, s, liveproof.SessionQuery{Tenant: "moment", Limit: 3, From: at, Until: at.Add(time.Nanosecond)}))
	require.Empty(t, listAll(t, s, liveproof.SessionQuery{Tenant: "moment", Limit: 3, Until: at}))
}

// checkListBounded: a filter that nothing passes reads so many records and no more.
func checkListBounded(t *testing.T, s storer) {
	for i := range maxScan + 5 {
		begun(t, s, "crowd", "", time.Duration(i)*time.Millisecond)
	}
	page, err := s.List(t.Context(), liveproof.SessionQuery{Tenant: "crowd", State: liveproof.StateFailed, Limit: 100})
	require.NoError(t, err)
	require.Empty(t, page.Sessions)
	require.NotEmpty(t, page.Next, "the search can go on")
	page, err = s.List(t.Context(), liveproof.SessionQuery{Tenant: "crowd", State: liveproof.StateFailed, Limit: 100, After: page.Next})
	require.NoError(t, err)
	require.Empty(t, page.Next)
}

// checkListForgets: a session whose record has expired is in no list.
func checkListForgets(t *testing.T, s storer) {
	x := newSession(500 * time.Millisecond)
	x.ID, x.Tenant = liveproof.SessionID(ids.New(x.CreatedAt)), "brief"
	_, _, err := s.Create(t.Context(), x, "", "")
	require.NoError(t, err)
	require.Equal(t, []liveproof.SessionID{x.ID}, listAll(t, s, liveproof.SessionQuery{Tenant: "brief", Limit: 9}))
	require.Eventually(t, func() bool {
		return len(listAll(t, s, liveproof.SessionQuery{Tenant: "brief", Limit: 9})) == 0
	}, 10*time.Second, 20*time.Millisecond)
}

// TestListsFollowTheRecords: Redis keeps no entry of a session longer than its record, nor a list that nothing is in.
func TestListsFollowTheRecords(t *testing.T) {
	now := time.Now()
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	r.now = func() time.Time { return now }
	sizes := func() (all, external int64) {
		all, err := r.db.ZCard(t.Context(), tenantKey("t", "sessions")).Result()
		require.NoError(t, err)
		external, err = r.db.ZCard(t.Context(), externalKey("t", "same")).Result()
		require.NoError(t, err)
		return all, external
	}
	create := func() {
		x := newSession(0)
		x.ID, x.Tenant, x.ExternalID, x.CreatedAt, x.ExpiresAt = liveproof.SessionID(ids.New(now)), "t", "same", now, now.Add(time.Hour)
		_, _, err := r.Create(t.Context(), x, "", "")
		require.NoError(t, err)
	}
	for range 60 {
		create()
	}
	all, external := sizes()
	require.Equal(t, []int64{60, 60}, []int64{all, external})
	now = now.Add(2 * time.Hour)
	create()
	create()
	all, external = sizes()
	require.Equal(t, []int64{2, 2}, []int64{all, external})
	for _, key := range listKeys("t", "same") {
		ttl, err := r.db.PTTL(t.Context(), key).Result()
		require.NoError(t, err)
		require.InDelta(t, time.Hour, ttl, float64(time.Minute), key)
	}
}

// TestListLeavesOutWhatIsBroken: a damaged record does not hide the others, and an entry without a record is removed.
func TestListLeavesOutWhatIsBroken(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	good, broken := begun(t, r, "t", "x", time.Minute), begun(t, r, "t", "x", 2*time.Minute)
	require.NoError(t, r.db.HSet(t.Context(), sessionKey(broken.ID), "state", "other").Err())
	lost := ids.New(time.Now().Add(-time.Hour))
	require.NoError(t, r.db.ZAdd(t.Context(), tenantKey("t", "sessions"), redis.Z{Member: lost}).Err())
	require.Equal(t, []liveproof.SessionID{good.ID}, listAll(t, r, liveproof.SessionQuery{Tenant: "t", Limit: 9}))
	require.ErrorIs(t, r.db.ZScore(t.Context(), tenantKey("t", "sessions"), lost).Err(), redis.Nil)
}
