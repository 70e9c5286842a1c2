package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// records are valid records of sessions, as field → value.
func records(t testing.TB) (all []map[string]string) {
	t.Helper()
	inconclusive, pending := liveproof.Inconclusive(liveproof.ReasonDeadline), liveproof.Pending()
	for _, r := range []struct {
		state     liveproof.State
		verdict   liveproof.Verdict
		threshold liveproof.Threshold
	}{
		{liveproof.StateCreated, pending, liveproof.Threshold{}},
		{liveproof.StateConnecting, pending, liveproof.Threshold{}},
		{liveproof.StateStreaming, pending, ofModel},
		{liveproof.StateStreaming, live, ofFile},
		{liveproof.StateDecided, live, ofTenant},
		{liveproof.StateDecided, spoof(), ofServer},
		{liveproof.StateDecided, inconclusive, ofModel},
		{liveproof.StateExpired, inconclusive, liveproof.Threshold{}},
		{liveproof.StateFailed, inconclusive, liveproof.Threshold{}},
		{liveproof.StateDecided, live, ofAsked},
	} {
		s := liveproof.Session{
			Tenant: "bank", Mode: liveproof.ModeCall, State: r.state, Verdict: r.verdict, Deadline: 15 * time.Second,
			CreatedAt: time.UnixMilli(1_700_000_000_000), ExpiresAt: time.UnixMilli(1_700_000_900_000), Frames: counts,
			Lease: liveproof.Lease{Owner: "server A"}, Threshold: r.threshold,
		}
		if r.threshold.Source == liveproof.ThresholdOfRequest {
			s.Calibration = "high_value"
		}
		fields, err := encodeSession(s, 1_700_000_004_000)
		require.NoError(t, err)
		all = append(all, hash(fields))
	}
	return all
}

// hash writes fields as Redis keeps them.
func hash(fields []any) map[string]string {
	f := map[string]string{"request": "h", "untold": ""}
	for i := 0; i < len(fields); i += 2 {
		if raw, ok := fields[i+1].([]byte); ok {
			f[fields[i].(string)] = string(raw)
		} else {
			f[fields[i].(string)] = fmt.Sprint(fields[i+1])
		}
	}
	return f
}

func TestRecordsAreRead(t *testing.T) {
	for _, f := range records(t) {
		s, err := decodeSession("x", f)
		require.NoError(t, err, "%v", f)
		require.Equal(t, f["state"], string(s.State))
		require.Equal(t, f["verdict"], string(s.Verdict.Outcome))
	}
}

// TestRecordsOfOldVersionsAreRead: a record that was written before the threshold was kept.
func TestRecordsOfOldVersionsAreRead(t *testing.T) {
	for _, f := range records(t) {
		for _, field := range append([]string{"calibration"}, thresholdFields...) {
			delete(f, field)
		}
		s, err := decodeSession("x", f)
		require.NoError(t, err, "%v", f)
		require.Equal(t, f["verdict"], string(s.Verdict.Outcome))
		require.Zero(t, s.Threshold)
	}
}

// TestDamagedRecordIsNoSession: what a crash, a bug or a person can make of a record.
func TestDamagedRecordIsNoSession(t *testing.T) {
	for name, change := range map[string]struct {
		record int
		field  string
		value  string
	}{
		"verdict alone":              {5, "verdict", "live"},
		"result alone":               {5, "result", `{"verdict":"live","score":0.125,"reasons":[],"scored":12,"final":true,"at":2.4}`},
		"another score":              {4, "score", "0.2"},
		"score above 1":              {4, "result", `{"verdict":"live","score":1.5,"reasons":[],"scored":12,"final":true,"at":2.4}`},
		"live without samples":       {4, "result", `{"verdict":"live","score":0.875,"reasons":[],"scored":0,"final":true,"at":2.4}`},
		"live before media":          {4, "state", "connecting"},
		"live and failed":            {4, "state", "failed"},
		"decided, not final":         {4, "result", `{"verdict":"live","score":0.875,"reasons":[],"scored":12,"final":false,"at":2.4}`},
		"unknown state":              {4, "state", "won"},
		"unknown outcome":            {4, "verdict", "LIVE"},
		"half a result":              {4, "result", `{"verdict":"live","score":0.875`},
		"no frames, after a live":    {4, "frames", ""},
		"deadline is not a number":   {4, "deadline", "NaN"},
		"deadline without end":       {4, "deadline", "1e300"},
		"lease that is not a number": {4, "lease_until", "soon"},
		"threshold of nobody":        {4, "threshold_source", ""},
		"threshold of a client":      {4, "threshold_source", "client"},
		"threshold is not a number":  {4, "threshold", "NaN"},
		"threshold passes all":       {4, "threshold", "0"},
		"threshold without evidence": {4, "threshold_sha256", ""},
		"threshold half gone":        {2, "threshold", ""},
		"asked for, and not used":    {4, "calibration", "high_value"},
		"used, and not asked for":    {9, "calibration", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := records(t)[change.record]
			f[change.field] = change.value
			s, err := decodeSession("x", f)
			require.Error(t, err)
			require.Equal(t, liveproof.Session{}, s, "nothing of it can be taken for a verdict")
			require.NotErrorIs(t, err, liveproof.ErrUnavailable, "reading it again is of no use")
		})
	}
}

// FuzzRecord changes any one field of a valid record, then any two: it never panics, one change never makes
// a session live that was not, and a session that reads as live says so in every field.
func FuzzRecord(f *testing.F) {
	f.Add(uint8(5), "verdict", "live", "result", `{"verdict":"live","score":0.125,"reasons":[],"scored":12,"final":true,"at":2.4}`)
	f.Add(uint8(4), "score", "0.87500", "deadline", "-1e-400")
	f.Add(uint8(2), "state", "decided", "lease_until", "99999999999999999999")
	f.Add(uint8(4), "threshold", "1e-400", "threshold_source", "request")
	f.Add(uint8(9), "threshold_sha256", "a b:c", "calibration", "")
	f.Add(uint8(0), "result", `{"verdict":"live","at":1e308}`, "frames", "[]")
	f.Fuzz(func(t *testing.T, which uint8, field1, value1, field2, value2 string) {
		all := records(t)
		fields := all[int(which)%len(all)]
		before := fields["verdict"]
		fields[field1] = value1
		s, err := decodeSession("x", fields)
		if s.Verdict.Outcome == liveproof.OutcomeLive && before != "live" {
			t.Fatalf("%s: %q makes it live", field1, value1)
		}
		checkRecord(t, fields, s, err)
		fields[field2] = value2
		s, err = decodeSession("x", fields)
		checkRecord(t, fields, s, err)
	})
}

func checkRecord(t *testing.T, fields map[string]string, s liveproof.Session, err error) {
	t.Helper()
	_ = s.Current(time.Now())
	v := s.Verdict
	switch {
	case s.Threshold != (liveproof.Threshold{}) && !s.Threshold.Valid():
		t.Fatalf("judged by %+v", s.Threshold)
	case err != nil && (v.Outcome != "" || s.State != ""):
		t.Fatalf("an error, and a session: %+v", s)
	case err != nil && errors.Is(err, liveproof.ErrUnavailable):
		t.Fatal("a damaged record is not an absent store")
	case v.Outcome == liveproof.OutcomeLive && fields["verdict"] != "live":
		t.Fatalf("live by %v", fields)
	case v.Outcome == liveproof.OutcomeLive && (s.State != liveproof.StateStreaming && s.State != liveproof.StateDecided || !(v.Score >= 0 && v.Score <= 1) || v.Scored < 1):
		t.Fatalf("live in %s with %+v", s.State, v)
	}
}

// FuzzTimelineRow: a row never panics, and a scored sample has a ρ and a weight in range.
func FuzzTimelineRow(f *testing.F) {
	f.Add(`{"seq":1,"t":0.2,"scored":true,"rho":0.9,"weight":1,"track":1,"reasons":[]}`)
	f.Add(`{"seq":1,"t":1e300,"scored":true,"rho":1e300,"weight":-1}`)
	f.Fuzz(func(t *testing.T, row string) {
		s, err := decodeSample(row)
		if err != nil && s.Scored {
			t.Fatal("an error, and a score")
		}
		if s.Scored && !(s.Rho >= 0 && s.Rho <= 1 && s.Weight > 0 && s.Weight <= 1) || s.T < 0 {
			t.Fatalf("%+v", s)
		}
	})
}
