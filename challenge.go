package liveproof

import (
	"encoding/json"
	"fmt"
	"time"
)

// Challenge is what the server asks a client to do while the session runs, so that the answer can be seen in the video. The client must
// do it as it is described, from Begin on, and reports nothing: the server looks for the answer in the pictures.
type Challenge struct {
	// ID names the challenge, once: a nonce. A second try has another one.
	ID string
	// Kind is the evidence that the answer gives.
	Kind Evidence
	// Attempt counts the challenges that the followed face was asked, from 1.
	Attempt int
	// Begin is how long after it was sent the challenge begins. Until then the person is told what will happen.
	Begin time.Duration
	// Duration from Begin to the end.
	Duration time.Duration
	// Colours, of EvidenceFlash, are what the whole screen shows.
	Colours []ColourAt
	// Steps, of EvidenceTurn, are the movements that the person is to make, in this order.
	Steps []StepAt
	// Alternative is the evidence that the person is asked for who declines this challenge; empty: the session then lacks the evidence.
	Alternative Evidence
}

// Movement is one of the head, as the person sees it.
type Movement string

// The movements. Left and right are the person's own, in a picture that is not mirrored.
const (
	MoveLeft   Movement = "left"
	MoveRight  Movement = "right"
	MoveNod    Movement = "nod"
	MoveCloser Movement = "closer"
)

// StepAt is a movement that the person is to make from a time on, until the next one, or the challenge's end.
type StepAt struct {
	// At is the time from the challenge's beginning.
	At       time.Duration
	Movement Movement
}

// ColourAt is a colour at a time. Between two of them the colour of the screen changes evenly in each channel's sRGB value, as in an
// animation of CSS. Before the first and after the last one it stays.
type ColourAt struct {
	// At is the time from the challenge's beginning.
	At time.Duration
	// R, G and B are sRGB values (IEC 61966-2-1).
	R, G, B uint8
}

// Delayed returns the challenge as a client must be told it that hears of it only after passed; Begin may be negative then.
func (c Challenge) Delayed(passed time.Duration) Challenge {
	c.Begin -= passed
	return c
}

// challengeJSON is a challenge as clients are told it, with times in seconds.
type challengeJSON struct {
	ID          string         `json:"id"`
	Kind        Evidence       `json:"kind"`
	Attempt     int            `json:"attempt"`
	Begin       float64        `json:"begins_in"`
	Duration    float64        `json:"duration"`
	Colours     []colourAtJSON `json:"colours,omitempty"`
	Steps       []stepAtJSON   `json:"steps,omitempty"`
	Alternative Evidence       `json:"alternative,omitempty"`
}

type stepAtJSON struct {
	At       float64  `json:"at"`
	Movement Movement `json:"movement"`
}

type colourAtJSON struct {
	At     float64 `json:"at"`
	Colour string  `json:"colour"` // #rrggbb
}

// MarshalJSON implements json.Marshaler: the form in which clients are told a challenge.
func (c Challenge) MarshalJSON() ([]byte, error) {
	told := challengeJSON{ID: c.ID, Kind: c.Kind, Attempt: c.Attempt, Begin: c.Begin.Seconds(), Duration: c.Duration.Seconds(), Alternative: c.Alternative}
	for _, x := range c.Colours {
		told.Colours = append(told.Colours, colourAtJSON{x.At.Seconds(), fmt.Sprintf("#%02x%02x%02x", x.R, x.G, x.B)})
	}
	for _, x := range c.Steps {
		told.Steps = append(told.Steps, stepAtJSON{x.At.Seconds(), x.Movement})
	}
	return json.Marshal(told)
}
