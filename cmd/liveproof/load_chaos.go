package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/publish"
)

// chaosOptions are the flags of `liveproof load --chaos`.
type chaosOptions struct {
	count         int
	nodes         []string
	leave, astray float64
	neverLive     bool
	settle        time.Duration
}

func (o *chaosOptions) addFlags(f *pflag.FlagSet) {
	f.IntVar(&o.count, "chaos", 0, "run so many onboarding sessions through --nodes while you let servers fail, and compare what clients saw with the store; 0: no")
	f.StringSliceVar(&o.nodes, "nodes", nil, "with --chaos, the addresses of all servers that share the Redis; default: --server")
	f.Float64Var(&o.leave, "leave", 0.2, "with --chaos, share of the clients that vanish at a random moment, as a closed tab does")
	f.Float64Var(&o.astray, "astray", 0.5, "with --chaos, share of the clients that come to another server than that of their session")
	f.BoolVar(&o.neverLive, "never-live", false, "with --chaos, the video shows no bona fide person: a session that is live is a fault")
	f.DurationVar(&o.settle, "settle-records", time.Minute, "with --chaos, how long records may take to end after the last session")
}

// chaos runs `liveproof load --chaos`.
func (o loadOptions) chaosOf(load publish.Options, clip func(i int) (*publish.Clip, bool)) publish.Chaos {
	load.Mode = liveproof.ModeOnboarding
	servers := o.chaos.nodes
	if len(servers) == 0 {
		servers = []string{o.publish.server}
	}
	return publish.Chaos{
		Options: load, Servers: servers, Count: o.chaos.count, Leave: o.chaos.leave, Astray: o.chaos.astray, Settle: o.chaos.settle, Clip: clip,
	}
}

func (o loadOptions) validateChaos() error {
	if o.chaos.count == 0 {
		return nil
	}
	return flagsOf(o.chaosOf(o.publish.options(publish.Client{}, ""), nil).Validate())
}

func (o loadOptions) runChaos(ctx context.Context, load publish.Options, clip *publish.Clip, out, errOut io.Writer) error {
	chaos := o.chaosOf(load, func(int) (*publish.Clip, bool) { return clip, o.chaos.neverLive })
	bar := newListProgress("chaos", "sessions", errOut)
	chaos.Progress = func(now publish.ChaosProgress) { bar.show(chaosAdvance(chaos.Count, now, "")) }
	entries, err := chaos.Run(ctx)
	bar.close()
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	for _, e := range entries {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return printLedger(publish.SumUp(entries), out)
}

// chaosAdvance is the progress of a run; failures says what has failed, if that is known.
func chaosAdvance(count int, now publish.ChaosProgress, failures string) advance {
	return advance{count, now.Run, 0, func(time.Duration) string {
		text := fmt.Sprintf("%d with a fault", now.Faulty)
		if now.Compared > 0 {
			text = fmt.Sprintf("%d compared with the store, %s", now.Compared, text)
		}
		if failures != "" {
			text += ", " + failures
		}
		return text
	}}
}

// printLedger prints the sums; faults are an error.
func printLedger(l publish.Ledger, out io.Writer) error {
	_, err := fmt.Fprintf(out, "sessions %d: fates %v, %d came to another server, clients were told %v, the store has %v (%v), withheld %d\n",
		l.Sessions, l.Fates, l.Astray, l.Told, l.Stored, l.Reasons, l.Withheld)
	if err != nil || len(l.Faulty) == 0 {
		return err
	}
	for _, e := range l.Faulty {
		fmt.Fprintln(out, e.Session, e.ExternalID, e.Faults)
	}
	return check.That("ledger", false, "%d sessions are not as their clients saw them", len(l.Faulty))
}
