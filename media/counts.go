package media

import (
	"maps"
	"sync"
)

// DropReason says why an access unit or packet gave no picture.
type DropReason string

// The reasons for which nothing was shown.
const (
	// DropAwaitKeyFrame: it came before the first key frame, or between a loss and the next one, or between a
	// recovery point's message and the first picture that is exact (H.264, intra refresh).
	DropAwaitKeyFrame DropReason = "await_key_frame"
	// DropWithheld: it came incomplete, or before a key frame that is missing, so the source did not deliver it.
	DropWithheld DropReason = "withheld"
	// DropDecodeError: the decoder refused it.
	DropDecodeError DropReason = "decode_error"
	// DropCorrupt: the decoder had to conceal missing or broken parts.
	DropCorrupt DropReason = "corrupt"
)

// Counts says what became of what came in. Received = Decoded + Skipped + all of Dropped + what
// the decoder holds back or uses without showing it (alternate reference frames).
type Counts struct {
	Received int64 // access units, or packets of the file's video stream
	Decoded  int64 // pictures
	Skipped  int64 // access units left out because they were not needed (Config.MinPictureRate)
	Dropped  map[DropReason]int64
}

// TotalDropped sums over the reasons.
func (c Counts) TotalDropped() int64 {
	var n int64
	for _, v := range c.Dropped {
		n += v
	}
	return n
}

// tally is a Counts for concurrent use; its zero value is ready.
type tally struct {
	mu sync.Mutex
	c  Counts
}

func (t *tally) received() { t.mu.Lock(); t.c.Received++; t.mu.Unlock() }

func (t *tally) skipped() { t.mu.Lock(); t.c.Skipped++; t.mu.Unlock() }

func (t *tally) decoded(n int64) { t.mu.Lock(); t.c.Decoded += n; t.mu.Unlock() }

func (t *tally) drop(why DropReason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.c.Dropped == nil {
		t.c.Dropped = make(map[DropReason]int64)
	}
	t.c.Dropped[why]++
}

func (t *tally) counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.c
	c.Dropped = maps.Clone(c.Dropped)
	return c
}
