package evaluation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof/internal/check"
)

// Judge makes a result of a presentation. Faults of the file are in the result (Result.Error). An error ends the run: it
// is the judge's own, or ctx's.
type Judge interface {
	Judge(ctx context.Context, p Presentation) (Result, error)
}

// Options say how a plan is judged.
type Options struct {
	Out      string // folder of the results; it is made
	Jobs     int    // presentations at once, ≥ 1
	Settings Settings
	// Progress is called at the start and after each presentation, one call at a time; may be nil.
	Progress func(Progress)
}

// Progress counts presentations.
type Progress struct {
	Total   int
	Done    int
	Skipped int // of Done: judged by an earlier run; do not count them for the speed
	Failed  int // of Done: could not be judged to their end
}

// Run judges the plan's presentations and returns their results in the plan's order. Each result is on the disk
// (results.jsonl) before the next begins, so that the same call continues after a kill: what has a result of the very file is not
// judged again, unless the file could not be judged to its end. The error is that of the options, ErrOutput, the
// judge's, or ctx's.
func Run(ctx context.Context, plan Plan, judge Judge, o Options) (results []Result, err error) {
	if err := check.AtLeast("jobs", o.Jobs, 1); err != nil {
		return nil, err
	}
	o.Settings.Version = resultVersion
	f, err := openFolder(o.Out, o.Settings)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	defer func() { err = errors.Join(err, f.close()) }()
	r := runner{judge: judge, folder: f, report: o.Progress, now: Progress{Total: len(plan.Presentations)}}
	return r.run(ctx, plan.Presentations, o.Jobs)
}

type runner struct {
	judge  Judge
	folder *folder

	mu     sync.Mutex
	now    Progress
	report func(Progress)
}

// run ends with the first failure that is not a file's own.
func (r *runner) run(ctx context.Context, list []Presentation, jobs int) ([]Result, error) {
	r.count(Progress{})
	results := make([]Result, len(list))
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	for i, p := range list {
		group.Go(func() (err error) {
			results[i], err = r.once(working, p)
			return err
		})
	}
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return nil, err
	}
	return results, nil
}

// once judges a presentation unless there is a result of its very file.
func (r *runner) once(ctx context.Context, p Presentation) (Result, error) {
	if err := ctx.Err(); err != nil { // the run ended while this one waited for its turn
		return Result{}, err
	}
	was, there := r.folder.done[p.Name]
	if there && was.Result.Error == "" && was.Result.Turned == p.Turned && was.Source.is(p.Path) {
		was.Result.Presentation = p // its truth may have been corrected
		r.count(Progress{Done: 1, Skipped: 1})
		return was.Result, nil
	}
	from, reading := sourceOf(p.Path) // what cannot be read is the judge's to say
	result, err := r.judge.Judge(ctx, p)
	if err == nil {
		err = ctx.Err() // an interrupted judgement is none
	}
	if err != nil {
		return Result{}, err
	}
	result.Presentation = p
	if reading != nil && result.Error == "" {
		result.Error = reading.Error()
	}
	if err := r.folder.add(record{from, result}); err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	done := Progress{Done: 1}
	if result.Error != "" {
		done.Failed = 1
	}
	r.count(done)
	return result, nil
}

func (r *runner) count(by Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.Done, r.now.Skipped, r.now.Failed = r.now.Done+by.Done, r.now.Skipped+by.Skipped, r.now.Failed+by.Failed
	if r.report != nil {
		r.report(r.now)
	}
}

// sourceOf identifies a file by its content.
func sourceOf(path string) (s source, err error) {
	f, err := os.Open(path)
	if err != nil {
		return source{}, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return source{}, err
	}
	if !info.Mode().IsRegular() { // reading a pipe would never end
		return source{}, fmt.Errorf("%s: not a regular file", path)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return source{}, err
	}
	return source{info.Size(), info.ModTime().UnixNano(), hex.EncodeToString(hash.Sum(nil))}, nil
}

// is reports whether the file is the one that was judged. A file of the same size and time is taken for it without
// reading it.
func (s source) is(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Size() != s.Bytes {
		return false
	}
	if info.ModTime().UnixNano() == s.Modified {
		return true
	}
	now, err := sourceOf(path)
	return err == nil && now.SHA256 == s.SHA256
}
