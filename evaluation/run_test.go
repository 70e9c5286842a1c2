package evaluation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stub judges by a file's content: a number of samples.
type stub struct {
	mu     sync.Mutex
	judged []string
	before func(ctx context.Context, p Presentation) error
}

func (s *stub) Judge(ctx context.Context, p Presentation) (Result, error) {
	s.mu.Lock()
	s.judged = append(s.judged, p.Name)
	s.mu.Unlock()
	if s.before != nil {
		if err := s.before(ctx, p); err != nil {
			return Result{}, err
		}
	}
	r := Result{Presentation: p, Verdict: liveproof.OutcomeInconclusive}
	text, err := os.ReadFile(p.Path)
	if err != nil {
		r.Error = err.Error()
		return r, nil //nolint:nilerr // the file is at fault, which its result says
	}
	for i := range len(text) {
		r.Samples = append(r.Samples, liveproof.Sample{Seq: int64(i + 1), T: time.Duration(i) * time.Second, Scored: true, Rho: .5, Weight: 1})
	}
	r.Score, r.Acquired = MeanRho(r.Samples)
	return r, nil
}

// files makes a plan of n files.
func files(t testing.TB, n int) (plan Plan) {
	t.Helper()
	root, fold := t.TempDir(), Fold{}
	for i := range n {
		p := Presentation{Name: fmt.Sprintf("%02d", i), Subject: "s"}
		p.Path = filepath.Join(root, p.Name)
		require.NoError(t, os.WriteFile(p.Path, []byte("abc"), 0o600))
		plan.Presentations, fold.Eval = append(plan.Presentations, p), append(fold.Eval, p.Name)
	}
	plan.Folds = []Fold{fold}
	return plan
}

func judgeAll(t testing.TB, plan Plan, out string) (results []Result, judged []string, last Progress) {
	t.Helper()
	s := &stub{}
	results, err := Run(t.Context(), plan, s, Options{Out: out, Jobs: 2, Progress: func(p Progress) { last = p }})
	require.NoError(t, err)
	require.Len(t, results, len(plan.Presentations))
	for i, r := range results {
		require.Equal(t, plan.Presentations[i], r.Presentation, "in the plan's order")
	}
	return results, s.judged, last
}

func TestRunContinues(t *testing.T) {
	plan, out := files(t, 4), t.TempDir()
	first, judged, last := judgeAll(t, plan, out)
	require.Len(t, judged, 4)
	require.Equal(t, Progress{Total: 4, Done: 4}, last)
	require.Len(t, first[0].Samples, 3)

	again, judged, last := judgeAll(t, plan, out)
	require.Empty(t, judged)
	require.Equal(t, Progress{Total: 4, Done: 4, Skipped: 4}, last)
	require.Equal(t, first, again, "a result is read as it was written")

	plan.Presentations[0].AttackType = "print" // corrected
	require.NoError(t, os.Chtimes(plan.Presentations[1].Path, time.Time{}, time.Now().Add(time.Hour)))
	require.NoError(t, os.WriteFile(plan.Presentations[2].Path, []byte("ab"), 0o600))
	plan.Presentations[3].Turned = 180
	results, judged, _ := judgeAll(t, plan, out)
	require.ElementsMatch(t, []string{"02", "03"}, judged, "other content, and the other way up; a newer time alone is no change")
	require.Equal(t, "print", results[0].AttackType)
	require.Len(t, results[2].Samples, 2)
	_, judged, _ = judgeAll(t, plan, out)
	require.Empty(t, judged, "of two results of a file the last counts")
}

func TestUnreadableFilesAreTriedAgain(t *testing.T) {
	plan, out := files(t, 2), t.TempDir()
	require.NoError(t, os.Rename(plan.Presentations[1].Path, plan.Presentations[1].Path+".away"))
	results, _, last := judgeAll(t, plan, out)
	require.Equal(t, Progress{Total: 2, Done: 2, Failed: 1}, last)
	require.NotEmpty(t, results[1].Error)
	require.Zero(t, results[1].Score)
	require.NoError(t, os.Rename(plan.Presentations[1].Path+".away", plan.Presentations[1].Path))
	results, judged, _ := judgeAll(t, plan, out)
	require.Equal(t, []string{"01"}, judged)
	require.Empty(t, results[1].Error)
}

func TestOtherSettingsAreRefused(t *testing.T) {
	plan, o := files(t, 1), Options{Out: t.TempDir(), Jobs: 1, Settings: Settings{Via: ViaDirect, Model: "one", Config: "a"}}
	_, err := Run(t.Context(), plan, &stub{}, o)
	require.NoError(t, err)
	o.Settings.Model, o.Settings.Config = "two", "b"
	_, err = Run(t.Context(), plan, &stub{}, o)
	require.ErrorIs(t, err, ErrOutput)
	require.ErrorContains(t, err, `holds results of other settings (model "one" there and "two" now, configuration "a" there and "b" now): take another folder`)
	require.NoError(t, os.WriteFile(filepath.Join(o.Out, settingsName), []byte("{"), 0o600))
	_, err = Run(t.Context(), plan, &stub{}, o)
	require.ErrorContains(t, err, settingsName)
}

func TestFoldersBelongToOneRun(t *testing.T) {
	plan, out := files(t, 1), t.TempDir()
	s := &stub{before: func(context.Context, Presentation) error {
		_, err := Run(t.Context(), plan, &stub{}, Options{Out: out, Jobs: 1})
		return err
	}}
	_, err := Run(t.Context(), plan, s, Options{Out: out, Jobs: 1})
	require.ErrorIs(t, err, ErrOutput)
	require.ErrorContains(t, err, "another evaluation is writing to "+out)
	_, err = Run(t.Context(), plan, s, Options{Out: filepath.Join(plan.Presentations[0].Path, "below a file"), Jobs: 1})
	require.ErrorIs(t, err, ErrOutput)
	_, err = Run(t.Context(), plan, s, Options{Out: out})
	require.ErrorContains(t, err, "jobs: 0")
}

func TestInterruption(t *testing.T) {
	plan, out := files(t, 5), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	s := &stub{before: func(_ context.Context, p Presentation) error {
		if p.Name == "02" {
			cancel()
		}
		return nil
	}}
	_, err := Run(ctx, plan, s, Options{Out: out, Jobs: 1})
	require.ErrorIs(t, err, context.Canceled)
	_, judged, _ := judgeAll(t, plan, out)
	require.ElementsMatch(t, []string{"02", "03", "04"}, judged, "what was interrupted has no result")
}

func TestJudgesErrorEndsTheRun(t *testing.T) {
	broken := errors.New("the model is gone")
	s := &stub{before: func(context.Context, Presentation) error { return broken }}
	_, err := Run(t.Context(), files(t, 3), s, Options{Out: t.TempDir(), Jobs: 1})
	require.ErrorIs(t, err, broken)
	require.Len(t, s.judged, 1)
}

// TestRunProcess is not a test but the process that other tests kill, or whose files may not grow.
func TestRunProcess(t *testing.T) {
	arguments := strings.Split(os.Getenv("EVALUATE_PROCESS"), "\n")
	if len(arguments) != 3 {
		t.Skip("only as a child of another test")
	}
	plan := files(t, 20)
	for i := range plan.Presentations { // the parent's
		plan.Presentations[i].Path = filepath.Join(arguments[0], plan.Presentations[i].Name)
	}
	slow := &stub{before: func(context.Context, Presentation) error { time.Sleep(20 * time.Millisecond); return nil }}
	if arguments[2] == "full" {
		signal.Ignore(syscall.SIGXFSZ)
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 2000, Max: 2000}))
	}
	_, err := Run(t.Context(), plan, slow, Options{Out: arguments[1], Jobs: 2})
	if arguments[2] == "full" {
		require.ErrorIs(t, err, ErrOutput)
		require.ErrorIs(t, err, syscall.EFBIG)
		return
	}
	require.NoError(t, err)
}

func child(plan Plan, out, kind string) *exec.Cmd {
	c := exec.Command(os.Args[0], "-test.run=^TestRunProcess$")
	c.Env = append(os.Environ(), "EVALUATE_PROCESS="+filepath.Dir(plan.Presentations[0].Path)+"\n"+out+"\n"+kind)
	return c
}

func lines(out string) int {
	text, _ := os.ReadFile(filepath.Join(out, resultsName))
	return strings.Count(string(text), "\n")
}

func TestRunSurvivesAKill(t *testing.T) {
	plan, out := files(t, 20), t.TempDir()
	c := child(plan, out, "")
	require.NoError(t, c.Start())
	require.Eventually(t, func() bool { return lines(out) >= 3 }, time.Minute, time.Millisecond)
	require.NoError(t, c.Process.Signal(syscall.SIGKILL))
	require.Error(t, c.Wait())
	done := lines(out)
	require.Less(t, done, 20, "killed on the way")
	half, err := os.OpenFile(filepath.Join(out, resultsName), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = half.WriteString(`{"source":{"bytes":3`) // as a kill in the middle of a write leaves it
	require.NoError(t, err)
	require.NoError(t, half.Close())
	_, judged, _ := judgeAll(t, plan, out)
	require.Len(t, judged, 20-done)
	require.Equal(t, 20, lines(out))
}

func TestRunSurvivesAFullDisk(t *testing.T) {
	plan, out := files(t, 20), t.TempDir()
	text, err := child(plan, out, "full").CombinedOutput()
	require.NoError(t, err, "%s", text)
	written, err := os.ReadFile(filepath.Join(out, resultsName))
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(written), "\n"), "half a record was removed again")
	done := lines(out)
	require.Positive(t, done)
	_, judged, _ := judgeAll(t, plan, out)
	require.Len(t, judged, 20-done)
}

func TestBrokenRecordsAreNamed(t *testing.T) {
	plan, out := files(t, 1), t.TempDir()
	judgeAll(t, plan, out)
	path := filepath.Join(out, resultsName)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, c := range []struct{ line, says string }{
		{"{}", "names no presentation"},
		{"nonsense", "invalid character"},
		{`{"result":{"name":"x","score":2}}`, "out of range"},
		{`{"result":{"name":"x","score":0.5}}`, "although nothing was scored"},
		{`{"result":{"name":"x","verdict":"pending"}}`, `"pending" is no final verdict`},
		{`{"result":{"name":"x","still":true,"verdict":"live"}}`, "a still picture has no verdict"},
	} {
		require.NoError(t, os.WriteFile(path, append(append([]byte{}, good...), c.line+"\n"...), 0o600))
		_, err = Run(t.Context(), plan, &stub{}, Options{Out: out, Jobs: 1})
		require.ErrorIs(t, err, ErrOutput)
		require.ErrorContains(t, err, path+": line 2: ")
		require.ErrorContains(t, err, c.says)
		require.ErrorContains(t, err, "remove the line to have its file judged again")
	}
}

// What is read is a result that a judge could have made, and only of whole lines.
func FuzzReadRecords(f *testing.F) {
	f.Add(`{"source":{"bytes":3,"sha256":"x"},"result":{"name":"a","score":0.5,"acquired":true,"verdict":"live","samples":[{"t":1}]}}` + "\n{")
	f.Add("\n")
	f.Add(`{"result":{"name":"a","still":true,"score":NaN}}` + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		records, whole, err := readRecords(strings.NewReader(text))
		if err != nil {
			return
		}
		require.True(t, whole == 0 || text[whole-1] == '\n')
		require.NotContains(t, text[whole:], "\n")
		for name, r := range records {
			require.Equal(t, name, r.Result.Name)
			require.NoError(t, r.Result.fault())
		}
	})
}
