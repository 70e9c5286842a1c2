package console

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// costly is a store whose pages each cost 500 records.
type costly struct{ *records }

func (c costly) List(ctx context.Context, q liveproof.SessionQuery) (liveproof.SessionPage, error) {
	page, err := c.records.List(ctx, q)
	page.Read = 500
	return page, err
}

// TestPagesCostWhatTheyRead: a visitor whose pages read many records is stopped for a while, and another tenant is not.
func TestPagesCostWhatTheyRead(t *testing.T) {
	clock := testTime
	p := newPage(t, nil, func(d *Deps) {
		d.Sessions, d.Now = costly{&records{}}, func() time.Time { return clock }
		d.Login = func(key string) (string, bool) { return "bank-" + key, true }
	})
	a, b := loginCookie(t, p.post("/console/login", keyForm("a"), nil)), loginCookie(t, p.post("/console/login", keyForm("b"), nil))
	served := 0
	for p.with(a, "/console/").Code == http.StatusOK {
		served++
		require.Less(t, served, 100)
	}
	require.Equal(t, 16, served, "of 25 tokens each, from 400")
	w := p.with(a, "/console/server")
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.Equal(t, http.StatusOK, p.with(b, "/console/").Code)
	clock = clock.Add(time.Second)
	require.Equal(t, http.StatusOK, p.with(a, "/console/").Code)
	for range 2000 { // pages that read nothing cost too
		p.with(b, "/console/style.css")
		w = p.with(b, "/console/server")
	}
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, http.StatusOK, p.get("/console/login").Code)
}
