package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/liveproof/liveproof"
)

// encodeSession gives the fields of a session's hash as field, value, …
// verdict and score stand beside the whole result so that people and other
// services can read them with HGET.
func encodeSession(s liveproof.Session) ([]any, error) {
	frames, result, err := encodeResult(s.Frames, s.Verdict)
	if err != nil {
		return nil, err
	}
	model, err := json.Marshal(s.Model)
	if err != nil {
		return nil, err
	}
	return []any{
		"mode", string(s.Mode),
		"external_id", s.ExternalID,
		"state", string(s.State),
		"verdict", string(s.Verdict.Outcome),
		"score", s.Verdict.Score,
		"result", result,
		"frames", frames,
		"model", model,
		"detector", s.Detector,
		"deadline_ms", s.Deadline.Milliseconds(),
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

func decodeSession(id liveproof.SessionID, f map[string]string) (liveproof.Session, error) {
	s := liveproof.Session{
		ID: id, Mode: liveproof.Mode(f["mode"]), ExternalID: f["external_id"],
		State: liveproof.State(f["state"]), Detector: f["detector"],
	}
	d := decoder{id: id, fields: f}
	d.json("result", &s.Verdict)
	d.json("frames", &s.Frames)
	d.json("model", &s.Model)
	s.Deadline = time.Duration(d.millis("deadline_ms")) * time.Millisecond
	s.CreatedAt = time.UnixMilli(d.millis("created_at")).UTC()
	s.ExpiresAt = time.UnixMilli(d.millis("expires_at")).UTC()
	if f["decided_at"] != "" {
		s.DecidedAt = time.UnixMilli(d.millis("decided_at")).UTC()
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

func (d *decoder) millis(field string) int64 {
	n, err := strconv.ParseInt(d.fields[field], 10, 64)
	d.note(field, err)
	return n
}

func (d *decoder) note(field string, err error) {
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("session %s in Redis, field %s: %w", d.id, field, err)
	}
}
