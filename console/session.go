package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/cost"
	"github.com/liveproof/liveproof/internal/ids"
)

// maxSampleRows bounds the table of samples; the plot has them all.
const maxSampleRows = 200

// sessionPage is the content of a session's page.
type sessionPage struct {
	row
	Running bool
	Plot    *plot              // nil without a sample
	Samples []liveproof.Sample // the newest, newest first
	Total   int                // samples of the timeline
}

func (c *console) showSession(w http.ResponseWriter, r *http.Request, visitor scope) error {
	id, ok := ids.ParseSession(r.PathValue("id"))
	if !ok {
		return errNoSession
	}
	s, err := c.deps.Sessions.Get(r.Context(), id)
	if err != nil {
		return err
	}
	if !visitor.sees(s) {
		return errNoSession
	}
	samples, err := c.deps.Sessions.Timeline(r.Context(), id)
	if err != nil {
		return err
	}
	c.budget.charge(visitor, cost.Samples(len(samples)))
	visitor.Tenant = s.Tenant
	page := sessionPageOf(s, samples, c.now())
	return render(w, http.StatusOK, "session", frame{Title: "Session " + string(id), Visitor: &visitor, Live: page.Running, Content: page})
}

func sessionPageOf(s liveproof.Session, samples []liveproof.Sample, now time.Time) sessionPage {
	newest := slices.Clone(samples[max(0, len(samples)-maxSampleRows):])
	slices.Reverse(newest)
	return sessionPage{
		row: rowOf(s, now), Running: !s.State.Terminal(),
		Plot: newPlot(samples, s.Threshold.Value), Samples: newest, Total: len(samples),
	}
}
