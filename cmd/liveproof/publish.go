package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/publish"
	"github.com/liveproof/liveproof/transcode"
)

// publishOptions say how files are sent to a server over WebRTC. Every command that does so has these flags.
type publishOptions struct {
	server, apiKey, signalling string
	sessions                   int
	ramp, patience             time.Duration
	codec, preset, cache       string
	bitrate                    bitrate
	longest                    int
	keyFrames, longestFile     time.Duration
	network                    publish.Network
	bandwidth                  bitrate
}

// codecAuto sends IVF files as they are and encodes all others as VP8.
const codecAuto = "auto"

// encodedCodecs by the value of --codec.
var encodedCodecs = map[string]liveproof.Codec{codecAuto: liveproof.CodecVP8, "vp8": liveproof.CodecVP8, "h264": liveproof.CodecH264}

// flags returns the flags of all that can be chosen.
func (o *publishOptions) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.addServerFlags(f)
	o.addEncodingFlags(f)
	o.addNetworkFlags(f)
	return f
}

func (o *publishOptions) addServerFlags(f *pflag.FlagSet) {
	f.StringVar(&o.server, "server", "", "address of a running server, such as http://127.0.0.1:8080; default: a server inside this program")
	f.StringVar(&o.apiKey, "api-key", os.Getenv("LIVEPROOF_API_KEY"), "with --server: its API key (or LIVEPROOF_API_KEY)")
	f.Lookup("api-key").DefValue = "" // a secret, which --help must not show
	f.StringVar(&o.signalling, "signalling", string(publish.SignallingWHIP), "whip (RFC 9725) or websocket (as the web component)")
	f.IntVar(&o.sessions, "sessions", 1, "sessions at once; fewer files than sessions are sent several times")
	f.DurationVar(&o.ramp, "ramp", 200*time.Millisecond, "least time between two sessions' starts")
	f.DurationVar(&o.patience, "patience", 5*time.Minute, "how long a session is asked for again while the server has no capacity; 0: once")
}

func (o *publishOptions) addEncodingFlags(f *pflag.FlagSet) {
	d := transcode.DefaultConfig()
	o.bitrate = bitrate(d.Bitrate)
	f.StringVar(&o.codec, "codec", codecAuto, "vp8, h264, or auto: IVF files of VP8 or H.264 are sent as they are, all others as vp8")
	f.Var(&o.bitrate, "bitrate", "bit/s of the encoded video, such as 500k or 1.5M")
	f.IntVar(&o.longest, "longest-side", d.LongestSide, "pixels; larger pictures are scaled down to it")
	f.DurationVar(&o.keyFrames, "key-frames", d.KeyFrames, "time between key frames; 0: every picture is one")
	f.StringVar(&o.preset, "preset", d.Preset, "speed of the encoder: cpu-used of vp8 (default -6), preset of x264 (default veryfast)")
	f.DurationVar(&o.longestFile, "max-duration", d.MaxDuration, "longest file that is encoded")
	f.StringVar(&o.cache, "cache", defaultClipDir(), `folder that keeps encoded files; "" keeps none`)
}

func (o *publishOptions) addNetworkFlags(f *pflag.FlagSet) {
	f.Float64Var(&o.network.Loss, "loss", 0, "share of the sent packets that are lost, such as 0.02")
	f.Float64Var(&o.network.Burst, "burst", 0, "mean number of packets that are lost in a row; 0: each is lost or not by itself")
	f.DurationVar(&o.network.Jitter, "jitter", 0, "random delay of packets, such as 20ms")
	f.DurationVar(&o.network.Delay, "delay", 0, "delay of all packets, such as 50ms")
	f.Var(&o.bandwidth, "bandwidth", "bit/s that the network carries, such as 500k; 0: unlimited")
	f.Uint64Var(&o.network.Seed, "network-seed", 1, "seed of the network's random numbers")
}

// validate reports every flag that is out of range.
func (o publishOptions) validate(cfg Config) error {
	_, known := encodedCodecs[o.codec]
	errs := []error{
		check.That("codec", known, "%q is not one of auto, vp8 and h264", o.codec),
		flagsOf(o.options(publish.Client{Server: o.anyServer()}, "").Validate()),
	}
	if known {
		errs = append(errs, flagsOf(o.encoding(cfg).Validate()))
	}
	return errors.Join(errs...)
}

// anyServer stands in for the server inside this program, whose address is not known yet.
func (o publishOptions) anyServer() string {
	if o.server == "" {
		return "http://127.0.0.1"
	}
	return o.server
}

// flagsOf turns the names of options into those of flags: each error begins with one.
func flagsOf(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if err == nil || !ok {
		return err
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		name, rest, _ := strings.Cut(e.Error(), ":")
		name = strings.ReplaceAll(name, "_", "-")
		if name == "stagger" {
			name = "ramp"
		}
		errs = append(errs, errors.New(name+":"+rest))
	}
	return errors.Join(errs...)
}

func (o publishOptions) options(client publish.Client, mode liveproof.Mode) publish.Options {
	p := publish.Options{
		Client: client, Mode: mode, Signalling: publish.Signalling(o.signalling), Sessions: o.sessions, Stagger: o.ramp, Patience: o.patience,
	}
	network := o.network
	network.Bandwidth = int(o.bandwidth)
	if network.Loss != 0 || network.Jitter != 0 || network.Delay != 0 || network.Bandwidth != 0 {
		p.Network = &network
	}
	return p
}

func (o publishOptions) encoding(cfg Config) transcode.Config {
	return transcode.Config{
		Codec: encodedCodecs[o.codec], Bitrate: int(o.bitrate), LongestSide: o.longest, KeyFrames: o.keyFrames, Preset: o.preset,
		MaxDuration: o.longestFile, Media: cfg.Media,
	}
}

// published is the result of one session.
type published struct {
	Path string
	publish.Result
	Err error // why the file could not be published or judged; a refusal is one
}

// errRefused: the server answered 503 overloaded.
var errRefused = errors.New("refused: the server has no capacity for one more session now; use fewer --sessions, a longer --ramp or more --patience")

// watcher is told how far encoding and sending are; each method may be called by several goroutines at once.
type watcher interface {
	encoded(path string, share float64) // share of the file in [0,1]
	sending(sessions int)               // so many sessions will be sent
	sent(session string, share float64) // share of the clip in (0,1]
}

// publishFiles encodes all files first, jobs at once, because encoding would take the CPU from a server on the same machine. Then it sends
// each file to a session of its own, and hands each result to done, one call at a time and in the order of the files. Where there are fewer
// files than o.sessions, the files are sent again until there are as many sessions.
func (o publishOptions) publishFiles(
	ctx context.Context, cfg Config, mode liveproof.Mode, files []string, jobs int, errOut io.Writer, w watcher, done func(published),
) (err error) {
	clips, err := openClipStore(o.cache, o.encoding(cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clips.close()) }()
	list := o.encodeAll(ctx, clips, files, jobs, w)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	send := func(ctx context.Context, client publish.Client) error {
		return o.send(ctx, o.options(client, mode), clips, repeated(list, o.sessions), w, done)
	}
	if o.server != "" {
		return send(ctx, publish.Client{Server: o.server, APIKey: o.apiKey})
	}
	return withLocalServer(ctx, cfg, errOut, send)
}

// encodedFile is a file with its clip, or with the reason why there is none.
type encodedFile struct {
	path, clip string
	err        error
}

func (o publishOptions) encodeAll(ctx context.Context, clips *clipStore, files []string, jobs int, w watcher) []encodedFile {
	list := make([]encodedFile, len(files))
	var group errgroup.Group
	group.SetLimit(jobs)
	for i, path := range files {
		list[i].path = path
		group.Go(func() error {
			if o.codec == codecAuto && publish.IsIVF(path) {
				list[i].clip = path
				return nil
			}
			list[i].clip, list[i].err = clips.encode(ctx, path, func(share float64) { w.encoded(path, share) })
			return nil
		})
	}
	_ = group.Wait() // each file has its own error
	return list
}

// repeated adds files that can be sent until the list has as many as there are sessions.
func repeated(list []encodedFile, sessions int) []encodedFile {
	var good []encodedFile
	for _, f := range list {
		if f.err == nil {
			good = append(good, f)
		}
	}
	for i := 0; len(good) > 0 && len(list) < sessions; i++ {
		list = append(list, good[i%len(good)])
	}
	return list
}

// send publishes the list and hands the results to done in its order.
func (o publishOptions) send(ctx context.Context, p publish.Options, clips *clipStore, list []encodedFile, w watcher, done func(published)) error {
	w.sending(len(list))
	p.Timeline = true
	p.Sent = func(s publish.Session, share float64) { w.sent(s.ID, share) }
	inOrder := ordered(done)
	clip := func(i int) (*publish.Clip, error) {
		if list[i].err != nil {
			return nil, list[i].err
		}
		return clips.load(list[i].clip)
	}
	return publish.Run(ctx, p, len(list), clip, func(i int, r publish.Result, err error) {
		if r.Refused {
			err = errRefused
		}
		inOrder(i, published{list[i].path, r, err})
	})
}

// ordered returns a function that takes the results of 0, 1, 2 … in any order and hands them to done in that order.
func ordered[T any](done func(T)) func(i int, result T) {
	var mu sync.Mutex
	waiting, next := map[int]T{}, 0
	return func(i int, result T) {
		mu.Lock()
		defer mu.Unlock()
		waiting[i] = result
		for r, ok := waiting[next]; ok; r, ok = waiting[next] {
			delete(waiting, next)
			done(r)
			next++
		}
	}
}
