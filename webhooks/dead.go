package webhooks

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/liveproof/liveproof"
)

// DeadLetterBox keeps dead letters.
type DeadLetterBox interface {
	// Dead returns the dead letters, the oldest first.
	Dead(ctx context.Context) ([]liveproof.Delivery, error)
	// Revive makes one due again, with the body given.
	Revive(ctx context.Context, d liveproof.Delivery) error
}

// DeadLetter is a message that could not be delivered.
type DeadLetter struct {
	ID       string    `json:"id"`
	Tenant   string    `json:"tenant"`
	Type     Type      `json:"type"`
	Session  string    `json:"session"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error"` // of the last attempt
	Sent     time.Time `json:"sent"`  // the last attempt
}

// DeadLetters lists them, the oldest first.
func DeadLetters(ctx context.Context, c DeadLetterBox) ([]DeadLetter, error) {
	dead, err := c.Dead(ctx)
	letters := make([]DeadLetter, len(dead))
	for i, d := range dead {
		var l letter
		_ = json.Unmarshal(d.Body, &l) // one that is damaged is listed by its key
		letters[i] = DeadLetter{d.Key, l.Tenant, l.Type, l.Session, l.Attempts, l.Error, l.Sent}
	}
	return letters, err
}

// Replay sends dead letters again, with all their attempts and the same ids: those of the ids given, or all of them without ids. It
// returns how many.
func Replay(ctx context.Context, c DeadLetterBox, ids ...string) (n int, err error) {
	dead, err := c.Dead(ctx)
	if err != nil {
		return 0, err
	}
	wanted := make(map[string]bool)
	for _, id := range ids {
		wanted[id] = true
	}
	for _, d := range dead {
		if len(ids) > 0 && !wanted[d.Key] {
			continue
		}
		delete(wanted, d.Key)
		if err := revive(ctx, c, d); err != nil {
			return n, err
		}
		n++
	}
	for id := range wanted {
		return n, fmt.Errorf("dead letter %s: %w", id, liveproof.ErrNotFound)
	}
	return n, nil
}

func revive(ctx context.Context, c DeadLetterBox, d liveproof.Delivery) (err error) {
	var l letter
	if err := json.Unmarshal(d.Body, &l); err != nil {
		return fmt.Errorf("dead letter %s: %w", d.Key, err)
	}
	l.Attempts, l.Error, d.Tenant = 0, "", l.Tenant
	if d.Body, err = json.Marshal(l); err != nil {
		return err
	}
	return c.Revive(ctx, d)
}
