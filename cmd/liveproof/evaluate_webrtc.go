package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/report"
	"github.com/liveproof/liveproof/extract"
	"github.com/liveproof/liveproof/models"
	"github.com/liveproof/liveproof/publish"
)

// webrtc encodes the files and publishes each to a session of its own.
func (o evaluateOptions) webrtc(ctx context.Context, cfg Config, plan evaluation.Plan, errOut io.Writer) (
	results []evaluation.Result, about report.About, err error,
) {
	if err := errors.Join(o.publish.validate(cfg), noStills(plan)); err != nil {
		return nil, about, usage(err)
	}
	settings, err := o.webrtcSettings(cfg)
	if err != nil {
		return nil, about, err
	}
	cfg.Pipeline.Recorded = !o.strict // of the server inside this program
	clips, closeClips, err := o.encode(ctx, cfg, plan, errOut)
	defer func() { err = errors.Join(err, closeClips()) }()
	if err != nil {
		return nil, about, err
	}
	send := func(ctx context.Context, client publish.Client) error {
		options := o.publish.options(client, liveproof.ModeOnboarding)
		options.Timeline = true
		results, err = o.judgeAll(ctx, plan, &webrtcJudge{options: options, clips: clips}, o.publish.sessions, settings, errOut)
		return err
	}
	if o.publish.server != "" {
		err = send(ctx, publish.Client{Server: o.publish.server, APIKey: o.publish.apiKey})
	} else {
		err = withLocalServer(ctx, cfg, errOut, send)
	}
	return results, o.about(settings), errors.Join(err, oneModel(results))
}

// noStills refuses files that are no videos.
func noStills(plan evaluation.Plan) error {
	i := slices.IndexFunc(plan.Presentations, func(p evaluation.Presentation) bool { return isStill(p.Path) })
	if i < 0 {
		return nil
	}
	return fmt.Errorf("--via webrtc: %s is a single picture; only videos can be published", plan.Presentations[i].Name)
}

// oneModel refuses results of several models, which a server has that was changed meanwhile. Files that never reached a model get
// the others'.
func oneModel(results []evaluation.Result) error {
	i := slices.IndexFunc(results, func(r evaluation.Result) bool { return r.Model.SHA256 != "" })
	for n, r := range results {
		switch {
		case i < 0 || r.Model.SHA256 == results[i].Model.SHA256:
		case r.Model.SHA256 == "":
			results[n].Model, results[n].Detector = results[i].Model, results[i].Detector
		default:
			return fmt.Errorf("%s was judged by model %.12s, %s by %.12s: evaluate again with another --out",
				r.Name, r.Model.SHA256, results[i].Name, results[i].Model.SHA256)
		}
	}
	return nil
}

// webrtcSettings name the model only where the server is inside this program; that of another server is known from the results.
func (o evaluateOptions) webrtcSettings(cfg Config) (evaluation.Settings, error) {
	sender := struct {
		Server, Signalling, Codec, Preset string
		Bitrate, Longest                  int
		KeyFrames                         time.Duration
		Network                           *publish.Network
	}{
		o.publish.server, o.publish.signalling, o.publish.codec, o.publish.preset, int(o.publish.bitrate), o.publish.longest,
		o.publish.keyFrames, o.publish.options(publish.Client{}, "").Network,
	}
	text, err := json.Marshal(sender)
	if err != nil {
		return evaluation.Settings{}, err
	}
	s := evaluation.Settings{Via: evaluation.ViaWebRTC}
	if o.publish.server == "" {
		catalog, err := models.New(cfg.Models, configs.Models(), models.DefaultPlaces())
		if err != nil {
			return s, err
		}
		model, err := catalog.Resolve(cfg.Scorer.Model, cfg.Scorer.ModelSHA256)
		if err != nil {
			return s, err
		}
		faces, err := catalog.Find(detector.Model()) // without the file the Haar cascade is used
		if err != nil && !errors.Is(err, models.ErrMissing) {
			return s, err
		}
		if s, err = o.settings(cfg, model.SHA256, faces.SHA256); err != nil {
			return s, err
		}
	}
	s.Sender = string(text)
	return s, nil
}

// clipOf finds a presentation's clip.
type clipOf func(evaluation.Presentation) (*publish.Clip, error)

// encode makes clips of all files before any is sent, because encoding would take the CPU from the server.
func (o evaluateOptions) encode(ctx context.Context, cfg Config, plan evaluation.Plan, errOut io.Writer) (clips clipOf, closeClips func() error, err error) {
	encoding := o.publish.encoding(cfg)
	upright, err := openClipStore(o.publish.cache, encoding)
	if err != nil {
		return nil, func() error { return nil }, err
	}
	encoding.TurnedOver = true
	over, err := openClipStore(o.publish.cache, encoding)
	if err != nil {
		return nil, upright.close, err
	}
	closeClips = func() error { return errors.Join(upright.close(), over.close()) }
	stored, turned, err := o.sort(ctx, cfg, plan, errOut)
	if err != nil {
		return nil, closeClips, err
	}
	bar := newPublishBar(append(slices.Clone(stored), turned...), o.quiet, errOut)
	defer bar.close()
	list, store := map[string]encodedFile{}, map[string]*clipStore{}
	for s, files := range map[*clipStore][]string{upright: stored, over: turned} {
		for _, f := range o.publish.encodeAll(ctx, s, files, o.jobs, bar) {
			list[f.path], store[f.path] = f, s
		}
	}
	return func(p evaluation.Presentation) (*publish.Clip, error) {
		if f := list[p.Path]; f.err != nil {
			return nil, f.err
		}
		return store[p.Path].load(list[p.Path].clip)
	}, closeClips, ctx.Err()
}

// sort tells the files that must be turned over from the others.
func (o evaluateOptions) sort(ctx context.Context, cfg Config, plan evaluation.Plan, errOut io.Writer) (stored, turned []string, err error) {
	var faces *engine.Faces
	defer func() {
		if faces != nil {
			err = errors.Join(err, faces.Close())
		}
	}()
	for _, p := range plan.Presentations {
		if p.Turned != 0 && faces == nil {
			if faces, err = engine.OpenFaces(cfg.engine(), newLogger(cfg.Log, errOut)); err != nil {
				return nil, nil, err
			}
		}
		turn, _, err := extract.Turn(ctx, faces, p.Path, p.Turned) // an unreadable file fails again when it is encoded
		if err == nil && turn != 0 {
			turned = append(turned, p.Path)
		} else {
			stored = append(stored, p.Path)
		}
	}
	return stored, turned, nil
}

// webrtcJudge judges files by publishing them.
type webrtcJudge struct {
	options publish.Options
	clips   clipOf
	failed  atomic.Int32 // sessions in a row

	starting sync.Mutex
	next     time.Time // when the next session may start
}

// failedInARow is how many sessions in a row may fail before the server is at fault.
const failedInARow = 5

// Judge implements evaluation.Judge. The failure of a session is in the result, but several in a row end the run.
func (j *webrtcJudge) Judge(ctx context.Context, p evaluation.Presentation) (evaluation.Result, error) {
	r := evaluation.Result{Presentation: p, Verdict: liveproof.OutcomeInconclusive}
	clip, err := j.clips(p)
	if err != nil {
		r.Error, r.Reasons = err.Error(), []liveproof.Reason{liveproof.ReasonUnsupportedMedia}
		return r, nil //nolint:nilerr // the file is at fault, which its result says
	}
	got, err := j.publish(ctx, clip, p.Name)
	switch {
	case ctx.Err() != nil:
		return r, context.Cause(ctx)
	case err != nil && j.failed.Add(1) >= failedInARow:
		return r, fmt.Errorf("%d sessions in a row failed, the last one: %w", failedInARow, err)
	case err != nil:
		r.Error = err.Error()
		return r, nil //nolint:nilerr // one session's failure, which its result says
	}
	j.failed.Store(0)
	return publishedResult(p, got), nil
}

// publish starts a session when it is its turn. Each file loses other packets, and in every run the same ones.
func (j *webrtcJudge) publish(ctx context.Context, clip *publish.Clip, name string) (publish.Result, error) {
	if err := j.wait(ctx); err != nil {
		return publish.Result{}, err
	}
	options, hash := j.options, fnv.New64a()
	_, _ = hash.Write([]byte(name)) // it never fails
	options.Network = options.Network.Of(hash.Sum64())
	got, err := publish.Judge(ctx, options, clip)
	if got.Refused {
		err = errRefused
	}
	return got, err
}

// wait keeps the least time between the starts of two sessions.
func (j *webrtcJudge) wait(ctx context.Context) error {
	j.starting.Lock()
	defer j.starting.Unlock()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Until(j.next)):
		j.next = time.Now().Add(j.options.Stagger)
		return nil
	}
}

// publishedResult keeps what the evaluation measures of a session.
func publishedResult(p evaluation.Presentation, got publish.Result) evaluation.Result {
	r := evaluation.Result{
		Presentation: p, Smoothed: got.Score, Verdict: got.Outcome, Reasons: got.Reasons, Frames: got.Frames, Unscored: got.Unscored,
		Samples: got.Samples, Model: got.Model, Detector: got.Detector,
	}
	r.Score, r.Acquired = evaluation.MeanRho(got.Samples)
	if n := len(got.Samples); n > 0 && got.State == liveproof.StateDecided {
		r.DecidedAt = got.Samples[n-1].T.Seconds() // an onboarding session ends with its verdict
	}
	r.Error = modelFailed(r.Unscored, liveproof.ReasonScorerFailed, liveproof.ReasonInternalError)
	if got.Outcome == liveproof.OutcomePending || got.Outcome == "" {
		r.Verdict, r.Error = liveproof.OutcomeInconclusive, "the server had not ended the session when its result was read"
	}
	return r
}
