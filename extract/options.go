package extract

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/liveproof/liveproof/internal/check"
)

// Options say how many crops are extracted, and to which folder.
type Options struct {
	Out    string // folder for crops, records, report and manifest; it is made
	Frames int    // kept of each video, equally spaced, in [1, 10000]
	Jobs   int    // videos at once, ≥ 1
	Shard  Shard  // the zero value is all videos
	// Progress is called at the start and after each video, one call at a time; may be nil.
	Progress func(Progress)
}

// Validate reports every option that is out of range; each error begins with its name.
func (o Options) Validate() error {
	return errors.Join(
		check.In("frames", o.Frames, 1, 10000),
		check.AtLeast("jobs", o.Jobs, 1),
		check.That("shard", o.Shard == Shard{} || o.Shard.Index >= 0 && o.Shard.Index < o.Shard.Count,
			"index %d of %d is out of range", o.Shard.Index, o.Shard.Count),
	)
}

// Shard is one of Count parts of a dataset's videos, Index from 0.
type Shard struct{ Index, Count int }

// ParseShard reads i/n, i from 1 to n.
func ParseShard(text string) (Shard, error) {
	first, second, ok := strings.Cut(text, "/")
	i, err1 := strconv.Atoi(first)
	n, err2 := strconv.Atoi(second)
	if !ok || err1 != nil || err2 != nil || i < 1 || i > n {
		return Shard{}, fmt.Errorf("%q is not i/n with i from 1 to n, such as 3/16", text)
	}
	return Shard{i - 1, n}, nil
}

// String is what ParseShard reads.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index+1, s.count()) }

func (s Shard) count() int { return max(1, s.Count) }

func (s Shard) has(index int) bool { return index%s.count() == s.Index }
