package main

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/verdict"
)

// timeline reads a session's samples as they are stored.
func (s *server) timeline(id string) (samples []liveproof.Sample) {
	s.t.Helper()
	var stored struct {
		Samples []json.RawMessage `json:"samples"`
	}
	require.Equal(s.t, http.StatusOK, s.api(http.MethodGet, "/v1/sessions/"+id+"/timeline", "", &stored))
	for _, raw := range stored.Samples {
		var v liveproof.Sample
		require.NoError(s.t, json.Unmarshal(raw, &v))
		samples = append(samples, v)
	}
	return samples
}

// leavesLive judges a call's stored samples again. It returns how many came before the swap, and how
// long after the swap the call left live; 0 if it did not.
func (s *server) leavesLive(id string, samples []liveproof.Sample, swap time.Duration) (before int, left time.Duration) {
	s.t.Helper()
	f, err := verdict.New(verdict.DefaultPolicy().For(liveproof.Session{Threshold: liveproof.Threshold{Value: s.awaitScored(id, 0).Model.Threshold}}), liveproof.ModeCall)
	require.NoError(s.t, err)
	for _, v := range samples {
		f.Add(v)
		if v.T < swap {
			before++
		} else if f.Verdict().Outcome != liveproof.OutcomeLive {
			return before, v.T - swap
		}
	}
	return before, 0
}

// TestRelaxedCallNoticesASwap: a person calls until the server samples the call less often.
// Then another person replaces the first, by a cut or by a slow fade. By the stored
// samples, the call must leave live within 2 s of stream time.
func TestRelaxedCallNoticesASwap(t *testing.T) {
	t.Parallel()
	const swap = 18 * time.Second
	first, second := shared(t, "media/people/person_d6.mp4"), shared(t, "media/people/person_s18.mp4")
	shared(t, "models/retinaface_mobilenet025.onnx")
	const fit = "scale=640:480:force_original_aspect_ratio=increase,crop=640:480,fps=30,setsar=1,settb=1/30"
	joins := []struct{ name, filter string }{
		{"fade", "[0]" + fit + ",trim=duration=18.8[a];[1]" + fit + "[b];[a][b]xfade=duration=0.8:offset=18,noise=alls=3:allf=t"},
		{"cut", "[0]" + fit + ",trim=duration=18[a];[1]" + fit + "[b];[a][b]concat,noise=alls=3:allf=t"},
	}
	for _, join := range fewOf(joins, 1) {
		t.Run(join.name, func(t *testing.T) {
			clip := encode(t, "-i", first, "-i", second, "-filter_complex", join.filter, "-t", "23")
			s := startServer(t)
			made := s.create(`{"mode":"call"}`)
			leave := s.publish(made, clip)
			s.await(made.ID, "live", func(v sessionView) bool { return v.Verdict == "live" })
			require.Eventually(t, func() bool { return s.metric("liveproof_pipeline_spared_total") > 10 }, 30*time.Second, 50*time.Millisecond,
				"the call is sampled less")
			samples := s.timeline(made.ID)
			require.Eventually(t, func() bool {
				samples = s.timeline(made.ID)
				return samples[len(samples)-1].T > swap+2*time.Second
			}, 30*time.Second, 100*time.Millisecond)
			leave()

			before, left := s.leavesLive(made.ID, samples, swap)
			t.Logf("%d samples in %v, live left %v after the swap", before, swap, left)
			require.Less(t, before, 80, "90 at the full rate")
			require.Positive(t, left)
			require.LessOrEqual(t, left, 2*time.Second)
		})
	}
}
