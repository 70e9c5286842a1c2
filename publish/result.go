package publish

import (
	"context"
	"fmt"
	"time"

	"github.com/liveproof/liveproof"
)

// Result is the result of one session.
type Result struct {
	// SecondsToVerdict is the time from the first packet of an onboarding session until this client
	// could read its verdict; 0: there was none before the clip ended.
	SecondsToVerdict float64 `json:"seconds_to_verdict,omitempty"`

	Session   string            `json:"session"`
	Seconds   float64           `json:"seconds"` // for which media flowed
	Sampled   int64             `json:"sampled"`
	Scored    int64             `json:"scored"`
	PerSecond float64           `json:"scored_per_second"`
	Outcome   liveproof.Outcome `json:"verdict"`
	// Refused says that the server had no capacity for the session; the other fields are then empty.
	Refused bool `json:"refused,omitempty"`
	// Refusals is how often the server had no capacity, also before it had (Options.Patience).
	Refusals int `json:"refusals,omitempty"`

	State    liveproof.State       `json:"state,omitempty"`
	Score    float64               `json:"score"`
	Reasons  []liveproof.Reason    `json:"reasons,omitempty"`
	Codec    liveproof.Codec       `json:"codec,omitempty"`
	Sent     int64                 `json:"sent"` // pictures
	Frames   liveproof.FrameCounts `json:"frames"`
	Model    liveproof.ModelInfo   `json:"model"`
	Detector string                `json:"detector,omitempty"`

	// The fields below need Options.Timeline.

	// MeanRho is the weighted mean of ρ over all scored samples; 0 without one.
	MeanRho float64 `json:"mean_rho,omitempty"`
	// Unscored counts samples that were not scored by their first reason.
	Unscored map[liveproof.Reason]int64 `json:"unscored,omitempty"`
	// Samples is the timeline.
	Samples []liveproof.Sample `json:"samples,omitempty"`
}

// result reads what the session has come to.
func (t *transmission) result(ctx context.Context) (Result, error) {
	got, err := t.o.Client.awaitTerminal(ctx, t.s.ID)
	if err != nil {
		return Result{}, err
	}
	sent := t.sending.Seconds()
	r := Result{
		SecondsToVerdict: t.verdict.Seconds(), Session: t.s.ID, Seconds: sent, Sampled: got.Frames.Sampled, Scored: got.Frames.Scored,
		PerSecond: float64(got.Frames.Scored) / sent, Outcome: got.Verdict, State: got.State, Score: got.Score, Reasons: got.Reasons,
		Codec: t.clip.codec, Sent: t.p.sent.Load(), Frames: got.Frames, Model: got.Model, Detector: got.Detector,
	}
	if t.o.Timeline {
		samples, err := t.o.Client.Timeline(ctx, t.s.ID)
		if err != nil {
			return Result{}, err
		}
		r.addTimeline(samples)
	}
	return r, nil
}

func (r *Result) addTimeline(samples []liveproof.Sample) {
	var sum, weight float64
	r.Samples, r.Unscored = samples, map[liveproof.Reason]int64{}
	for _, s := range samples {
		switch {
		case s.Scored:
			sum, weight = sum+s.Weight*s.Rho, weight+s.Weight
		case len(s.Reasons) > 0:
			r.Unscored[s.Reasons[0]]++
		}
	}
	if weight > 0 {
		r.MeanRho = sum / weight
	}
}

// awaitTerminal reads a session that this client has ended, as soon as the server has written its end.
func (c Client) awaitTerminal(ctx context.Context, id string) (Status, error) {
	for until := time.Now().Add(endWait / 2); ; { //nolint:mnd // leaves time for the timeline
		got, err := c.Status(ctx, id)
		if err != nil || got.State.Terminal() {
			return got, err
		}
		if time.Now().After(until) {
			return got, fmt.Errorf("session %s: the server has not ended it, it is still %s", id, got.State)
		}
		if err := sleep(ctx, endPoll); err != nil {
			return got, err
		}
	}
}
