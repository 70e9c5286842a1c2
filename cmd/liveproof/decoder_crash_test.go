package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/redistest"
)

// TestCrashedDecoder: a fault in a decoder's C code ends the whole process by a signal, here sent to the server in the middle of a session.
// Whoever started the server starts it again. The new server ends the session as server_lost, nothing of it is live, and it judges the next
// session. The server is in its sandbox where the kernel has one.
func TestCrashedDecoder(t *testing.T) {
	clip := person(t, "person_A_640x480.mjpeg", "20")
	for name, fault := range map[string]syscall.Signal{"a bad address": syscall.SIGSEGV, "abort": syscall.SIGABRT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := redistest.Start(t)
			crashed := startProcess(t, db.URL(), "LIVEPROOF_OPS_SANDBOX=auto")
			made := crashed.create(`{"mode":"call"}`)
			leave := crashed.publish(made, clip)
			defer leave()
			crashed.await(made.ID, "live", func(v sessionView) bool { return v.Verdict == "live" })

			begun := time.Now()
			require.NoError(t, crashed.cmd.Process.Signal(fault))
			require.Error(t, crashed.cmd.Wait(), "the process ends, and says that it did not end well")
			require.Less(t, time.Since(begun), 5*time.Second)
			again := startProcess(t, db.URL(), "LIVEPROOF_OPS_SANDBOX=auto") // as restart: and Restart= do
			time.Sleep(time.Until(begun.Add(5 * time.Second)))
			require.NotEqual(t, "live", again.read(made.ID).Verdict, "the lease has run out")
			v := again.await(made.ID, "the end", func(v sessionView) bool {
				require.NotEqual(t, "live", v.Verdict)
				return v.terminal()
			})
			t.Logf("ended after %v: %+v", time.Since(begun).Round(time.Second/10), v)
			require.Equal(t, []any{"expired", "inconclusive", []string{"server_lost"}}, []any{v.State, v.Verdict, v.Reasons})

			next := again.create("")
			defer again.publish(next, clip)()
			require.Equal(t, "live", again.await(next.ID, "the end", sessionView.terminal).Verdict, "the new server judges")
		})
	}
}
