package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// `make build` sets these: -ldflags "-X main.version=… -X main.revision=…".
var (
	version  = "development"
	revision string
)

// release identifies the program.
type release struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // the git commit; "+dirty" when files had changed since; "unknown" outside a checkout
	Go       string `json:"go"`
}

// currentRelease takes what the build did not set from the Go tool's build information.
func currentRelease() release {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return releaseOf(version, revision, info)
}

func releaseOf(version, revision string, info *debug.BuildInfo) release {
	if version == "development" && info.Main.Sum != "" { // `go install …@v0.2.0`: a module that was downloaded has a sum
		version = strings.TrimPrefix(info.Main.Version, "v")
	}
	return release{
		Version:  version,
		Revision: cmp.Or(revision, vcsRevision(info), "unknown"),
		Go:       cmp.Or(info.GoVersion, "unknown"),
	}
}

func vcsRevision(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	if commit != "" && settings["vcs.modified"] == "true" {
		return commit + "+dirty"
	}
	return commit
}

func newVersionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show version, git revision and Go version",
		Args:  wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printRelease(cmd.OutOrStdout(), currentRelease(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

func printRelease(w io.Writer, r release, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := fmt.Fprintf(w, "liveproof %s\nrevision  %s\nbuilt by  %s\n", r.Version, r.Revision, r.Go)
	return err
}
