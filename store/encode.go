package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
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
	fields := []any{
		"tenant", s.Tenant,
		"mode", string(s.Mode),
		"external_id", s.ExternalID,
		"calibration", s.Calibration,
		"require", strings.Join(texts(s.Require), ","),
		"state", string(s.State),
		"verdict", string(s.Verdict.Outcome),
		"score", s.Verdict.Score,
		"result", result,
		"frames", frames,
		"model", model,
		"detector", s.Detector,
		"trace", s.Trace,
		"deadline", s.Deadline.Seconds(),
		"node", s.Node,
		"lease_owner", s.Lease.Owner,
		"lease_until", leaseUntil,
		"created_at", s.CreatedAt.UnixMilli(),
		"expires_at", s.ExpiresAt.UnixMilli(),
	}
	for i, value := range thresholdValues(s.Threshold) {
		fields = append(fields, thresholdFields[i], value)
	}
	return fields, nil
}

// thresholdFields are the fields of the threshold that judges; streamingScript and luaAnswer name them too. Each is a field of
// its own so that scripts can put it into events.
var thresholdFields = []string{"threshold", "threshold_source", "threshold_calibration", "threshold_sha256"}

// thresholdValues are their values; all are empty without a threshold.
func thresholdValues(t liveproof.Threshold) []any {
	value := ""
	if t != (liveproof.Threshold{}) {
		value = strconv.FormatFloat(t.Value, 'g', -1, 64)
	}
	return []any{value, string(t.Source), t.Calibration, t.CalibrationSHA256}
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

func texts(list []liveproof.Evidence) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = string(e)
	}
	return out
}

// evidences reads a list that encodeSession wrote; a record of an earlier version has none.
func evidences(text string) (list []liveproof.Evidence) {
	for e := range strings.SplitSeq(text, ",") {
		if e != "" {
			list = append(list, liveproof.Evidence(e))
		}
	}
	return list
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

// decodeSession reads a session's hash. A record that the store cannot have written is an error, which
// names the field, and gives no session: whoever can write to Redis can forge a record, but a damaged one never
// reads as live.
func decodeSession(id liveproof.SessionID, f map[string]string) (liveproof.Session, error) {
	s := liveproof.Session{
		ID: id, Tenant: f["tenant"], Mode: liveproof.Mode(f["mode"]), ExternalID: f["external_id"],
		Calibration: f["calibration"], State: liveproof.State(f["state"]), Detector: f["detector"],
		Trace: f["trace"], Node: f["node"],
	}
	d := decoder{id: id, fields: f}
	d.json("result", &s.Verdict)
	d.json("frames", &s.Frames)
	d.json("model", &s.Model)
	s.Threshold = d.threshold()
	s.Require = evidences(f["require"])
	s.Deadline = d.seconds("deadline")
	s.CreatedAt, s.ExpiresAt = d.time("created_at"), d.time("expires_at")
	s.Lease = liveproof.Lease{Owner: f["lease_owner"], Until: d.time("lease_until")}
	if f["decided_at"] != "" {
		s.DecidedAt = d.time("decided_at")
	}
	if f["changed_at"] != "" {
		s.ChangedAt = d.time("changed_at")
	}
	d.consistent(s)
	if d.err != nil {
		return liveproof.Session{}, d.err
	}
	return s, nil
}

// consistent checks what every write of the store keeps: known states and outcomes, a verdict that stands beside
// the same result, and live or spoof only where there was media.
func (d *decoder) consistent(s liveproof.Session) {
	score, err := strconv.ParseFloat(d.fields["score"], 64)
	d.note("score", err)
	v := s.Verdict
	decision := v.Outcome == liveproof.OutcomeLive || v.Outcome == liveproof.OutcomeSpoof
	for _, rule := range []struct {
		field string
		holds bool
	}{
		{"mode", s.Mode == liveproof.ModeOnboarding || s.Mode == liveproof.ModeCall},
		{"state", slices.Contains(states, s.State)},
		{"result", slices.Contains(outcomeKinds, v.Outcome) && v.Score >= 0 && v.Score <= 1 && v.Scored >= 0 && v.At >= 0},
		{"verdict", d.fields["verdict"] == string(v.Outcome)},
		{"score", score == v.Score},
		{"state", !decision || s.State == liveproof.StateStreaming || s.State == liveproof.StateDecided},
		{"result", !decision || v.Scored > 0},
		{"result", !s.State.Terminal() || v.Final && v.Outcome != liveproof.OutcomePending},
		{"result", v.Injection.Risk >= 0 && v.Injection.Risk <= 1},
		{"deadline", s.Deadline >= 0},
		{"node", validNode(s.Node)},
		{"require", !slices.ContainsFunc(s.Require, func(e liveproof.Evidence) bool { return !e.Known() })},
		{"threshold", s.Threshold == (liveproof.Threshold{}) || s.Threshold.Valid()},
		{"calibration", s.Threshold == (liveproof.Threshold{}) || (s.Calibration != "") == (s.Threshold.Source == liveproof.ThresholdOfRequest)},
	} {
		if !rule.holds {
			d.note(rule.field, errInconsistent)
		}
	}
}

// validNode accepts the address of a server, or none.
func validNode(address string) bool {
	return address == "" || strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}

var (
	errInconsistent = errors.New("does not agree with the rest of the record")
	states          = []liveproof.State{
		liveproof.StateCreated, liveproof.StateConnecting, liveproof.StateStreaming,
		liveproof.StateDecided, liveproof.StateExpired, liveproof.StateFailed,
	}
	outcomeKinds = []liveproof.Outcome{
		liveproof.OutcomePending, liveproof.OutcomeLive, liveproof.OutcomeSpoof, liveproof.OutcomeInconclusive,
	}
)

// decodeSample reads a row of the timeline.
func decodeSample(row string) (s liveproof.Sample, err error) {
	if err = json.Unmarshal([]byte(row), &s); err != nil {
		return liveproof.Sample{}, err
	}
	scored := s.Rho >= 0 && s.Rho <= 1 && s.Weight > 0 && s.Weight <= 1
	if s.Seq < 1 || s.T < 0 || s.Scored && !scored {
		return liveproof.Sample{}, errInconsistent
	}
	return s, nil
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

// maxSeconds is far above any duration of a record, and far below what a time.Duration can hold.
const maxSeconds = 1e9

// seconds reads a duration.
func (d *decoder) seconds(field string) time.Duration {
	s, err := strconv.ParseFloat(d.fields[field], 64)
	if err == nil && !(s >= 0 && s <= maxSeconds) {
		err = strconv.ErrRange
	}
	if err != nil {
		d.note(field, err)
		return 0
	}
	return time.Duration(math.Round(s * 1e9))
}

// threshold reads what judges the session. A session before streaming has none, and neither has a record of version 0.1.
func (d *decoder) threshold() liveproof.Threshold {
	t := liveproof.Threshold{
		Source:      liveproof.ThresholdSource(d.fields["threshold_source"]),
		Calibration: d.fields["threshold_calibration"], CalibrationSHA256: d.fields["threshold_sha256"],
	}
	if text := d.fields["threshold"]; text != "" {
		var err error
		t.Value, err = strconv.ParseFloat(text, 64)
		d.note("threshold", err)
	}
	return t
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
