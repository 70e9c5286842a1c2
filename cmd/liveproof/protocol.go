package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/internal/atomicfile"
)

const protocolHelp = `Writes protocol.csv (docs/benchmarks.md): which of the extracted videos are for training, development
and test, and their domains. Videos that gave no crop are in it too, so that no denominator changes.

  liveproof protocol --list                         datasets, protocols and their folds; --json for programs
  liveproof protocol --name OCI-M --extracted DIR,DIR,DIR,DIR --out OCI-M.csv
  liveproof protocol --name OCI-M --root DATASET=DIR --root … --out OCI-M.csv       before extraction

OCI-M trains on the datasets with the letters O, C and I and tests on M. Populations of such a setting,
published under the same names: split (default) trains on train splits and tests on the test split;
all-nodev takes train and test on both sides; everything takes dev too and leaves no development set,
so that a threshold can only be chosen on the target itself.`

// protocolOptions are the flags of `liveproof protocol`.
type protocolOptions struct {
	name, population, out string
	extracted, roots      []string
	list, json            bool
}

func newProtocolCommand() *cobra.Command {
	o := protocolOptions{}
	cmd := &cobra.Command{
		Use: "protocol --name NAME --extracted DIR,… --out FILE", Short: "Write which videos train, develop and test", Long: protocolHelp,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "the protocol, or one fold of it; --list shows them")
	f.StringVar(&o.population, "population", string(benchmark.PopulationSplit), "of a leave-one-out setting: split, all-nodev or everything")
	f.StringSliceVar(&o.extracted, "extracted", nil, "folders that liveproof extract wrote")
	f.StringSliceVar(&o.roots, "root", nil, "datasets as DATASET=DIR instead")
	f.StringVar(&o.out, "out", "", "the file to write")
	f.BoolVar(&o.list, "list", false, "list datasets, protocols and folds")
	f.BoolVar(&o.json, "json", false, "the list as JSON")
	return cmd
}

func (o protocolOptions) run(out, errOut io.Writer) error {
	if o.list {
		return o.runList(out)
	}
	if o.json {
		return usage(errors.New("--json: only with --list"))
	}
	p, err := benchmark.Known().Protocol(o.name, benchmark.Population(o.population))
	if err != nil {
		return usage(fmt.Errorf("--name, --population: %w", err))
	}
	if o.out == "" || len(o.extracted)+len(o.roots) == 0 {
		return usage(errors.New("--out and --extracted (or --root) are needed"))
	}
	videos, err := o.videos()
	if err != nil {
		return err
	}
	return o.write(p, p.Apply(videos), out, errOut)
}

func (o protocolOptions) runList(out io.Writer) error {
	list := benchmark.Known().List()
	if !o.json {
		return list.Text(out)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}

// videos of all folders and roots that were named.
func (o protocolOptions) videos() (videos []benchmark.Video, err error) {
	for _, dir := range o.extracted {
		list, err := benchmark.ExtractedVideos(dir)
		if err != nil {
			return nil, fmt.Errorf("--extracted: %w", err)
		}
		videos = append(videos, list...)
	}
	for _, root := range o.roots {
		list, err := benchmark.Known().RootVideos(root)
		if err != nil {
			return nil, usage(fmt.Errorf("--root: %w", err))
		}
		videos = append(videos, list...)
	}
	if err := benchmark.Distinct(videos); err != nil {
		return nil, usage(fmt.Errorf("--extracted, --root: %w", err))
	}
	return videos, nil
}

func (o protocolOptions) write(p benchmark.Protocol, uses []benchmark.Use, out, errOut io.Writer) error {
	warnings, err := p.Check(uses)
	if err != nil {
		return fmt.Errorf("--extracted, --root: %w", err)
	}
	for _, warning := range warnings {
		fmt.Fprintln(errOut, "warning:", warning)
	}
	if err := atomicfile.Write(o.out, func(w io.Writer) error { return benchmark.WriteProtocol(w, uses) }); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return p.Summary(out, uses)
}
