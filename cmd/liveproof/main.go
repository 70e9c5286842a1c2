// Command liveproof judges from video whether a bona fide person or an attack
// presentation is in front of the camera: live over WebRTC (serve) or from files
// (replay). See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes, as documented in `liveproof --help`.
const (
	exitOK       = 0
	exitFailure  = 1 // something failed while running
	exitUsage    = 2 // the command line or the configuration is wrong
	exitPartial  = 3 // replay, evaluate: some files could not be judged; extract --verify: the dataset is incomplete
	exitCanceled = 130
)

// exitError carries the exit code of an error that has been told to the user already when err is nil.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(err error) error { return &exitError{code: exitUsage, err: err} }

func main() {
	// The first signal drains; after it the default action is back, so a second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:]))
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string) int {
	root := newRootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	if err != nil && (!errors.As(err, &exit) || exit.err != nil) {
		fmt.Fprintln(root.ErrOrStderr(), "liveproof:", err)
	}
	if err != nil && ctx.Err() != nil {
		return exitCanceled
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	}
	return exitFailure
}
