package store

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
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
