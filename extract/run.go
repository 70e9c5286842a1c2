package extract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/internal/atomicfile"
	"github.com/liveproof/liveproof/internal/filelock"
)

// ErrOutput says that the folder for the crops cannot be used, is in use, or holds crops of other settings.
var ErrOutput = errors.New("output folder")

// cropOfContract describes the crops in settings.json; crops of another description must not
// share the folder.
const cropOfContract = "square of 1.3 times the longer side of the box, 256×256, PNG"

// Summary is the state of an extraction after a run.
type Summary struct {
	// Report covers all videos of the tree; nil while some are not done.
	Report *benchmark.Report
	// Missing counts the videos that are not done, all of them of other shards.
	Missing int
}

// Run extracts this shard's videos and, when all videos of the tree are done,
// writes report and manifest. Faults of a video are in its record and in the
// report, and are no error. The error is that of the options, ErrOutput, the
// detector's or, after an interruption, ctx's; the same call then continues.
func Run(ctx context.Context, tree *benchmark.Tree, o Options, faces *engine.Faces) (Summary, error) {
	if err := o.Validate(); err != nil {
		return Summary{}, err
	}
	s, err := newSettings(tree, o, faces)
	if err != nil {
		return Summary{}, err
	}
	unlock, err := lockFolder(o.Out, o.Shard)
	if err != nil {
		return Summary{}, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	defer unlock()
	if err := claim(o.Out, s); err != nil {
		return Summary{}, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	x := extractor{faces, o.Frames, o.Out}
	if err := x.videos(ctx, tree.Files, o); err != nil {
		return Summary{}, err
	}
	return x.conclude(s, tree)
}

func newSettings(tree *benchmark.Tree, o Options, faces *engine.Faces) (benchmark.Settings, error) {
	cfg := faces.Config()
	sum, err := digest(faces.Network(), cfg.Detector, cfg.Media)
	return benchmark.Settings{
		Dataset: tree.Dataset.Name, Frames: o.Frames, Detector: faces.Detector(), Crop: cropOfContract, Config: sum,
	}, err
}

// claim writes the settings to a new folder, and refuses a folder with other settings. A lock makes shards
// that begin together take turns.
func claim(dir string, s benchmark.Settings) error {
	turn, err := lockFile(filepath.Join(dir, ".lock"), filelock.InMyTurn)
	if err != nil {
		return err
	}
	defer turn.Close() //nolint:errcheck // only a lock
	path := filepath.Join(dir, benchmark.SettingsName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return atomicfile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
	}
	if err != nil {
		return err
	}
	var there benchmark.Settings
	if err := json.Unmarshal(data, &there); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if there != s {
		return fmt.Errorf("%s holds crops of other settings (there %+v, now %+v): use another folder", dir, there, s)
	}
	return nil
}

// videos works on o.Jobs videos at once. It ends with the first failure that is not a video's own.
func (x extractor) videos(ctx context.Context, files []benchmark.File, o Options) error {
	var mine []benchmark.File
	for i, f := range files {
		if o.Shard.has(i) {
			mine = append(mine, f)
		}
	}
	progress := newCounter(len(mine), o.Progress)
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(o.Jobs)
	for _, f := range mine {
		if working.Err() != nil {
			break
		}
		group.Go(func() error { return x.once(working, f, progress) })
	}
	return errors.Join(group.Wait(), ctx.Err())
}

// once extracts a video unless it was done before.
func (x extractor) once(ctx context.Context, f benchmark.File, progress *counter) error {
	if r, err := benchmark.ReadRecord(x.out, f.ID); err == nil && r.Final() && x.matches(r, f) {
		progress.skip()
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := removeManifest(x.out); err != nil {
		return err
	}
	r, err := x.video(ctx, f)
	if err != nil {
		return err
	}
	if err := r.Save(x.out); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	progress.add(len(r.Crops))
	return nil
}

// matches reports whether the record is of this very file and its crops are there, even if the file could not
// be read.
func (x extractor) matches(r benchmark.Record, f benchmark.File) bool {
	return r.SourceBytes == sourceBytes(f.Path) && r.Of(f.Video) && r.Whole(x.out)
}

func sourceBytes(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}
