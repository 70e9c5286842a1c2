package publish

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestLedgerFindsFaults(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	status := func(state liveproof.State, v liveproof.Outcome) Status {
		return Status{State: state, Verdict: v, DecidedAt: at}
	}
	live := status(liveproof.StateDecided, liveproof.OutcomeLive)
	spoof := status(liveproof.StateDecided, liveproof.OutcomeSpoof)
	none := status(liveproof.StateExpired, liveproof.OutcomeInconclusive)
	later := live
	later.DecidedAt = at.Add(time.Millisecond)
	for name, x := range map[string]struct {
		entry   Entry
		records []Status
		fault   string // "": none
	}{
		"told and stored alike":           {Entry{Told: "pass", Seen: live}, []Status{live, live}, ""},
		"told nothing":                    {Entry{}, []Status{none}, ""},
		"told to try again, as stored":    {Entry{Told: "retry"}, []Status{none}, ""},
		"withheld":                        {Entry{Told: "retry"}, []Status{live}, ""},
		"read while it ran":               {Entry{Seen: status(liveproof.StateStreaming, liveproof.OutcomePending)}, []Status{live}, ""},
		"no record":                       {Entry{Told: "pass"}, nil, "lost"},
		"it does not end":                 {Entry{}, []Status{status(liveproof.StateStreaming, liveproof.OutcomeLive)}, "lost"},
		"another verdict than was told":   {Entry{Told: "pass"}, []Status{spoof}, "told pass"},
		"a verdict where none was told":   {Entry{Told: "fail"}, []Status{live}, "told fail"},
		"another verdict than was read":   {Entry{Seen: spoof}, []Status{live}, "overwritten"},
		"the same verdict a second time":  {Entry{Seen: live}, []Status{later}, "overwritten"},
		"servers differ":                  {Entry{}, []Status{live, spoof}, "differ"},
		"live without a person":           {Entry{NeverLive: true}, []Status{live}, "false live"},
		"told live without a person":      {Entry{NeverLive: true, Told: "pass"}, []Status{none}, "false live"},
		"no live without a person":        {Entry{NeverLive: true, Told: "retry"}, []Status{none}, ""},
		"ended in the store, not for him": {Entry{Seen: none}, []Status{live}, "overwritten"},
	} {
		t.Run(name, func(t *testing.T) {
			x.entry.compare(x.records)
			if x.fault == "" {
				require.Empty(t, x.entry.Faults)
				return
			}
			require.NotEmpty(t, x.entry.Faults)
			require.Contains(t, x.entry.Faults[len(x.entry.Faults)-1], x.fault)
		})
	}
}

func TestSumUp(t *testing.T) {
	live := Status{State: liveproof.StateDecided, Verdict: liveproof.OutcomeLive}
	none := Status{State: liveproof.StateExpired, Verdict: liveproof.OutcomeInconclusive, Reasons: []liveproof.Reason{liveproof.ReasonServerLost}}
	got := SumUp([]Entry{
		{Fate: FateRefused}, {Session: "a", Fate: FateEnded, Told: "pass", Stored: live, Astray: true},
		{Session: "b", Fate: FateLeft, Stored: none}, {Session: "c", Fate: FateEnded, Told: "retry", Stored: live, Faults: []string{"x"}},
	})
	require.Equal(t, 4, got.Sessions)
	require.Equal(t, map[Fate]int{FateRefused: 1, FateEnded: 2, FateLeft: 1}, got.Fates)
	require.Equal(t, map[string]int{"pass": 1, "retry": 1}, got.Told)
	require.Equal(t, map[liveproof.Outcome]int{liveproof.OutcomeLive: 2, liveproof.OutcomeInconclusive: 1}, got.Stored)
	require.Equal(t, map[liveproof.Reason]int{liveproof.ReasonServerLost: 1}, got.Reasons)
	require.Equal(t, 1, got.Withheld)
	require.Equal(t, 1, got.Astray)
	require.Len(t, got.Faulty, 1)
}

func TestChaosValidate(t *testing.T) {
	good := Chaos{Options: Options{Sessions: 1}, Servers: []string{"http://a", "http://b"}, Count: 1, Settle: time.Second}
	require.NoError(t, good.Validate())
	for name, spoil := range map[string]func(*Chaos){
		"chaos": func(c *Chaos) { c.Count = 0 }, "sessions": func(c *Chaos) { c.Sessions = 0 }, "nodes": func(c *Chaos) { c.Servers = nil },
		"leave": func(c *Chaos) { c.Leave = 1.1 }, "astray": func(c *Chaos) { c.Astray = -1 }, "settle_records": func(c *Chaos) { c.Settle = 0 },
		"loss": func(c *Chaos) { c.Network = &Network{Loss: 2} },
	} {
		bad := good
		spoil(&bad)
		require.ErrorContains(t, bad.Validate(), name)
	}
}

func TestChaosProgress(t *testing.T) {
	var told []ChaosProgress
	p := Chaos{Progress: func(now ChaosProgress) { told = append(told, now) }}.newProgress()
	live := Status{State: liveproof.StateDecided, Verdict: liveproof.OutcomeLive}
	falseLive := Entry{NeverLive: true, Seen: live}
	p.ran(falseLive)
	p.ran(Entry{Told: "pass", Seen: live})
	p.ran(Entry{NeverLive: true, Told: "pass"})
	falseLive.fault("false live")
	p.compared(falseLive)
	p.compared(Entry{Faults: []string{"lost"}})
	require.Equal(t, []ChaosProgress{{1, 0, 1}, {2, 0, 1}, {3, 0, 2}, {3, 1, 2}, {3, 2, 3}}, told, "a session counts once")
}
