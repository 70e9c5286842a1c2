package store

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/liveproof/liveproof"
)

// encodeSession gives the fields of a session's hash as field, value, …
// verdict and score stand beside the whole result so that people and other
// services can read them with HGET.
//
// leaseUntil is the end of the lease in Redis's time, Unix milliseconds.
func encodeSession(s liveproof.Session, leaseUntil int64) ([]any, error) {
	frames, result, err := encodeResult(s.Frames, s.Verdict)
	if err != nil {
		return nil, err
	}
	model, err := json.Marshal(s.Model)
	if err != nil {
		return nil, err
	}
	return []any{
		"tenant", s.Tenant,
		"mode", string(s.Mode),
		"external_id", s.ExternalID,
		"state", string(s.State),
		"verdict", string(s.Verdict.Outcome),
		"score", s.Verdict.Score,
		"result", result,
		"frames", frames,
		"model", model,
		"detector", s.Detector,
		"deadline", s.Deadline.Seconds(),
		"lease_owner", s.Lease.Owner,
		"lease_until", leaseUntil,
		"created_at", s.CreatedAt.UnixMilli(),
		"expires_at", s.ExpiresAt.UnixMilli(),
	}, nil
}

func encodeResult(counts liveproof.FrameCounts, v liveproof.Verdict) (frames, result []byte, err error) {
	if frames, err = json.Marshal(counts); err != nil {
		return nil, nil, err
	}
	if result, err = json.Marshal(v); err != nil {
		return nil, nil, fmt.Errorf("verdict: %w", err)
	}
	return frames, result, nil
}

// encodeSamples returns seq, sample, seq, sample, …
func encodeSamples(samples []liveproof.Sample) ([]any, error) {
	rows := make([]any, 0, 2*len(samples))
	for _, s := range samples {
		row, err := json.Marshal(s)
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", s.Seq, err)
		}
		rows = append(rows, s.Seq, row)
	}
	return rows, nil
}

func decodeSession(id liveproof.SessionID, f map[string]string) (liveproof.Session, error) {
	s := liveproof.Session{
		ID: id, Tenant: f["tenant"], Mode: liveproof.Mode(f["mode"]), ExternalID: f["external_id"],
		State: liveproof.State(f["state"]), Detector: f["detector"],
	}
	d := decoder{id: id, fields: f}
	d.json("result", &s.Verdict)
	d.json("frames", &s.Frames)
	d.json("model", &s.Model)
	s.Deadline = d.seconds("deadline")
	s.CreatedAt, s.ExpiresAt = d.time("created_at"), d.time("expires_at")
	s.Lease = liveproof.Lease{Owner: f["lease_owner"], Until: d.time("lease_until")}
	if f["decided_at"] != "" {
		s.DecidedAt = d.time("decided_at")
	}
	return s, d.err
}

// decoder keeps the first error, which names the field.
type decoder struct {
	id     liveproof.SessionID
	fields map[string]string
	err    error
}

func (d *decoder) json(field string, into any) {
	d.note(field, json.Unmarshal([]byte(d.fields[field]), into))
}

// seconds reads a duration.
func (d *decoder) seconds(field string) time.Duration {
	s, err := strconv.ParseFloat(d.fields[field], 64)
	d.note(field, err)
	return time.Duration(math.Round(s * 1e9))
}

// time reads Unix milliseconds.
func (d *decoder) time(field string) time.Time {
	ms, err := strconv.ParseInt(d.fields[field], 10, 64)
	d.note(field, err)
	return time.UnixMilli(ms).UTC()
}

func (d *decoder) note(field string, err error) {
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("session %s in Redis, field %s: %w", d.id, field, err)
	}
}
