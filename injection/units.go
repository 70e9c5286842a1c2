package injection

import (
	"context"
	"time"

	"github.com/liveproof/liveproof"
)

// units passes on a source, and shows each unit to the watch.
type units struct {
	liveproof.UnitSource
	watch *Watch
}

var (
	_ liveproof.LayeredSource = units{}
	_ liveproof.LossCounter   = units{}
	_ liveproof.BitrateSource = units{}
	_ liveproof.DelaySource   = units{}

	_ liveproof.DecliningSource = units{}
)

// Units returns a source that gives what from gives, with what it knows of its sender, after the watch has seen it.
func (w *Watch) Units(from liveproof.UnitSource) liveproof.UnitSource {
	if known, ok := from.(liveproof.SenderSource); ok {
		w.follow(known)
	}
	return units{from, w}
}

// Next implements liveproof.UnitSource.
func (u units) Next(ctx context.Context) (liveproof.AccessUnit, error) {
	unit, err := u.UnitSource.Next(ctx)
	if err == nil {
		u.watch.unit(&unit)
	}
	return unit, err
}

// PreferLarger implements liveproof.LayeredSource; a source with one stream has nothing larger.
func (u units) PreferLarger() {
	if layered, ok := u.UnitSource.(liveproof.LayeredSource); ok {
		layered.PreferLarger()
	}
}

// Reduced implements liveproof.LayeredSource; a source with one stream has nothing larger.
func (u units) Reduced() bool {
	layered, ok := u.UnitSource.(liveproof.LayeredSource)
	return ok && layered.Reduced()
}

// PreferFiner implements liveproof.BitrateSource; not every source can ask its sender.
func (u units) PreferFiner() {
	if b, ok := u.UnitSource.(liveproof.BitrateSource); ok {
		b.PreferFiner()
	}
}

// RoundTrip implements liveproof.DelaySource; not every source knows it.
func (u units) RoundTrip() (roundTrip time.Duration, known bool) {
	if d, ok := u.UnitSource.(liveproof.DelaySource); ok {
		return d.RoundTrip()
	}
	return 0, false
}

// Declined implements liveproof.DecliningSource; not every source has a client who can decline.
func (u units) Declined(id string) bool {
	d, ok := u.UnitSource.(liveproof.DecliningSource)
	return ok && d.Declined(id)
}

// Withheld passes on what the source counts.
func (u units) Withheld() int64 {
	if c, ok := u.UnitSource.(liveproof.LossCounter); ok {
		return c.Withheld()
	}
	return 0
}
