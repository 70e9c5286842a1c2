package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/benchmark"
)

const protocolHelp = `Writes protocol.csv (docs/benchmarks.md): which of the extracted videos are for training, development
and test, and their domains. Videos that gave no crop are in it too, so that no denominator changes.

  liveproof protocol --list
  liveproof protocol --name OCI-M --extracted crops/oulu,crops/casia,crops/replay,crops/msu --out OCI-M.csv
  liveproof protocol --name oulu-3.1 --root oulu=/data/OULU-NPU --out oulu-3.1.csv     before extraction

OCI-M trains on OULU-NPU, CASIA-FASD and Replay-Attack and tests on MSU-MFSD. Populations of such a
setting, published under the same names: split (default) trains on train splits and tests on the test
split; all-nodev takes train and test on both sides; everything takes dev too and leaves no development
set, hence no threshold but the target's own.`

// protocolOptions are the flags of `liveproof protocol`.
type protocolOptions struct {
	name, population, out string
	extracted, roots      []string
	list                  bool
}

func newProtocolCommand() *cobra.Command {
	o := protocolOptions{}
	cmd := &cobra.Command{
		Use: "protocol --name NAME --extracted DIR,… --out FILE", Short: "Write which videos train, develop and test", Long: protocolHelp,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "the protocol; --list shows them")
	f.StringVar(&o.population, "population", string(benchmark.PopulationSplit), "of a leave-one-out setting: split, all-nodev or everything")
	f.StringSliceVar(&o.extracted, "extracted", nil, "folders that liveproof extract wrote")
	f.StringSliceVar(&o.roots, "root", nil, "datasets as DATASET=DIR instead")
	f.StringVar(&o.out, "out", "", "the file to write")
	f.BoolVar(&o.list, "list", false, "list the names")
	return cmd
}

func (o protocolOptions) run(out, errOut io.Writer) error {
	if o.list {
		return listProtocols(out)
	}
	p, err := benchmark.OpenProtocol(o.name, benchmark.Population(o.population))
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
	uses := p.Apply(videos)
	if err := complete(p, uses, errOut); err != nil {
		return err
	}
	if err := benchmark.WriteFile(o.out, func(w io.Writer) error { return benchmark.WriteProtocol(w, uses) }); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return summarize(p, uses, out)
}

func listProtocols(out io.Writer) error {
	w := tabwriter.NewWriter(out, 2, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tDATASETS\tDOMAINS")
	for _, name := range benchmark.ProtocolNames() {
		p, err := benchmark.OpenProtocol(name, benchmark.PopulationSplit)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\t%d\n", name, strings.Join(p.Datasets, " "), p.Domains)
	}
	return w.Flush()
}

// videos of all folders and roots that were named.
func (o protocolOptions) videos() (videos []benchmark.Video, err error) {
	for _, dir := range o.extracted {
		list, err := benchmark.ExtractedVideos(dir)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("--extracted: %w: is the extraction done?", err)
		}
		if err != nil {
			return nil, fmt.Errorf("--extracted: %w", err)
		}
		videos = append(videos, list...)
	}
	for _, root := range o.roots {
		list, err := rootVideos(root)
		if err != nil {
			return nil, usage(fmt.Errorf("--root: %w", err))
		}
		videos = append(videos, list...)
	}
	return videos, distinct(videos)
}

// distinct refuses a dataset that was named twice: each of its videos would count double.
func distinct(videos []benchmark.Video) error {
	seen := map[[2]string]bool{}
	for _, v := range videos {
		key := [2]string{v.Dataset, v.ID}
		if seen[key] {
			return usage(fmt.Errorf("%s: %s comes twice: name each dataset once, with --extracted or with --root", v.Dataset, v.ID))
		}
		seen[key] = true
	}
	return nil
}

func rootVideos(text string) (videos []benchmark.Video, err error) {
	name, dir, ok := strings.Cut(text, "=")
	if !ok {
		return nil, fmt.Errorf("%q is not DATASET=DIR", text)
	}
	dataset, err := benchmark.Open(name)
	if err != nil {
		return nil, err
	}
	tree, err := dataset.Discover(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range tree.Files {
		videos = append(videos, f.Video)
	}
	return videos, nil
}

// complete refuses a protocol without training or test data, and warns of one without development data.
func complete(p benchmark.Protocol, uses []benchmark.Use, errOut io.Writer) error {
	count := map[string]int{}
	for _, u := range uses {
		count[string(u.Role)]++
		count[u.Dataset]++
	}
	for _, dataset := range p.Datasets {
		if count[dataset] == 0 {
			return fmt.Errorf("%s: no video of %s: name its folder with --extracted or --root", p.Name, dataset)
		}
	}
	for _, role := range []benchmark.Role{benchmark.RoleTrain, benchmark.RoleTest} {
		if count[string(role)] == 0 {
			return fmt.Errorf("%s: no video for %s in the folders named", p.Name, role)
		}
	}
	if count[string(benchmark.RoleDev)] == 0 {
		fmt.Fprintln(errOut, "warning: no development videos: there is no threshold but one chosen on the target itself")
	}
	for _, s := range p.Shortfalls(uses) {
		fmt.Fprintf(errOut, "warning: %s %s: %d of the %d published videos; extract --verify names those that are missing\n",
			s.Dataset, s.Role, s.Found, s.Published)
	}
	return nil
}

func summarize(p benchmark.Protocol, uses []benchmark.Use, out io.Writer) error {
	type key struct {
		role    benchmark.Role
		dataset string
	}
	counts := map[key][2]int{}
	for _, u := range uses {
		c := counts[key{u.Role, u.Dataset}]
		c[u.Label()]++
		counts[key{u.Role, u.Dataset}] = c
	}
	w := tabwriter.NewWriter(out, 2, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ROLE\tDATASET\tBONA FIDE\tATTACKS")
	for _, role := range []benchmark.Role{benchmark.RoleTrain, benchmark.RoleDev, benchmark.RoleTest} {
		for _, dataset := range p.Datasets {
			if c, ok := counts[key{role, dataset}]; ok {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\n", role, dataset, c[1], c[0])
			}
		}
	}
	return w.Flush()
}
