package webhooks_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestASlowReceiverHoldsUpItsOwnTenantOnly: bank-a's receiver takes every connection and never answers, and many messages wait for it.
func TestASlowReceiverHoldsUpItsOwnTenantOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, k keeper) {
		asked, over := make(chan struct{}, 100), make(chan struct{})
		silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{}; <-over }))
		t.Cleanup(silent.Close)
		t.Cleanup(func() { close(over) })
		r := newReceiver(t, oldSecret, http.StatusOK)
		cfg := testConfig(silent.URL)
		cfg.URLs["bank-b"], cfg.Secrets["bank-b"] = r.URL, oldSecret
		cfg.Timeout = time.Minute
		stop := run(t, cfg, k)
		for range 20 {
			end(t, k, begin(t, k, "bank-a", liveproof.ModeOnboarding), liveproof.StateDecided, live(true))
		}
		for range 4 {
			<-asked // bank-a's attempts are under way
		}
		end(t, k, begin(t, k, "bank-b", liveproof.ModeOnboarding), liveproof.StateDecided, live(true))
		require.Len(t, r.await(t, 1), 1)
		stop()
	})
}
