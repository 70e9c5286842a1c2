package store

import (
	"context"
	"slices"

	"github.com/liveproof/liveproof"
)

// List implements ingest.Sessions.
func (m *Memory) List(_ context.Context, q liveproof.SessionQuery) (page liveproof.SessionPage, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	listed := m.tenants[q.Tenant]
	low, high := bounds(q)
	end := len(listed)
	if high != "" {
		end, _ = slices.BinarySearch(listed, high)
	}
	var last liveproof.SessionID
	for scanned := 0; end > 0 && listed[end-1] >= low; end, scanned = end-1, scanned+1 {
		if len(page.Sessions) == q.Limit || scanned == maxScan {
			page.Next = last
			break
		}
		last = listed[end-1]
		page.Read++
		if r, err := m.find(last); err == nil && q.Matches(r.session, m.now()) {
			page.Sessions = append(page.Sessions, copied(r.session))
		}
	}
	return page, nil
}

// list enters a new session among those of its tenant; most ids are the newest.
func (m *Memory) list(tenant string, id liveproof.SessionID) {
	at, _ := slices.BinarySearch(m.tenants[tenant], id)
	m.tenants[tenant] = slices.Insert(m.tenants[tenant], at, id)
}

// unlist removes a session from those of its tenant.
func (m *Memory) unlist(tenant string, id liveproof.SessionID) {
	listed := m.tenants[tenant]
	at, found := slices.BinarySearch(listed, id)
	if !found {
		return
	}
	if m.tenants[tenant] = slices.Delete(listed, at, at+1); len(listed) == 1 {
		delete(m.tenants, tenant)
	}
}
