package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

const longHelp = `Liveproof decides from video whether a bona fide person or an attack presentation
(a print, a screen, a cut-out) is in front of the camera.

  liveproof serve                     server with demo page at http://localhost:8080
  liveproof replay --json clip.mp4    judge files through the same pipeline
  liveproof replay --via webrtc F.mp4 publish files to the whole live system
  liveproof models list               which model files are there, and where
  liveproof load clip.mp4             open many sessions against a server
  liveproof livekit --room ROOM …     judge the cameras of a LiveKit room
  liveproof webhooks list             what could not be delivered to integrators' backends
  liveproof robustness --csv FILE …   what encoders, WebRTC and lossy networks change of the results

Error rates on your own labelled files, or on a benchmark:

  liveproof evaluate --csv files.csv --root DIR --out DIR
  liveproof calibrate --scores DIR/scores-dev.csv         the threshold, chosen from those scores

Benchmarks (OULU-NPU, CASIA-FASD, Replay-Attack, MSU-MFSD), for training and evaluation:

  liveproof extract --dataset msu --root DIR --out DIR    face crops and manifest.csv
  liveproof protocol --name OCI-M --extracted DIR,…       which videos train, develop, test
  liveproof layout --dataset msu --out DIR                the same layout, to be filmed by the renderer

Exit codes: 0 success · 1 failure · 2 wrong usage or configuration ·
3 replay, evaluate: some files could not be judged, extract --verify: the dataset is incomplete · 130 interrupted.`

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "liveproof",
		Short:         "Streaming video liveness (presentation attack detection)",
		Long:          longHelp,
		Version:       currentRelease().Version,
		Args:          wantArgs(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(newServeCommand(), newReplayCommand(), newModelsCommand(), newLoadCommand(), newHealthcheckCommand(),
		newEvaluateCommand(), newRobustnessCommand(), newCalibrateCommand(), newExtractCommand(), newProtocolCommand(), newLayoutCommand(),
		newWebhooksCommand(), newDeletionCostCommand(), newLiveKitCommand(), newVersionCommand())
	return root
}

// wantArgs makes a wrong number of arguments an error of usage.
func wantArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage(fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
		}
		return nil
	}
}
