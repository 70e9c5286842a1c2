package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/models"
)

const modelsHelp = `Models are looked for by name and refused when their SHA-256 is not the catalogue's
(configs/models.yaml): in $LIVEPROOF_MODELS, in models/ beside the binary or in the
checkout, in $LIVEPROOF_SHARED/models, and where "pull" puts them.`

func newModelsCommand() *cobra.Command {
	cfg := models.DefaultConfig()
	cmd := &cobra.Command{Use: "models", Short: "List, verify and fetch the model files", Long: modelsHelp}
	cmd.PersistentFlags().StringVar(&cfg.Catalog, "catalog", cfg.Catalog, "another catalogue file")
	open := func() (*models.Catalog, error) {
		return models.New(cfg, configs.Models(), models.DefaultPlaces())
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "Show every model, whether it is there, and where from", Args: wantArgs(cobra.NoArgs),
			RunE: withCatalog(open, func(cmd *cobra.Command, c *models.Catalog, _ []string) error {
				return listModels(c, cmd.OutOrStdout())
			}),
		},
		&cobra.Command{
			Use: "verify [NAME...]", Short: "Check files against the catalogue; exit code 1 when one is missing or differs",
			RunE: withCatalog(open, func(cmd *cobra.Command, c *models.Catalog, names []string) error {
				return verifyModels(c, namesOrAll(c, names), cmd.OutOrStdout())
			}),
		},
		&cobra.Command{
			Use: "pull [NAME...]", Short: "Download models that are missing",
			RunE: withCatalog(open, func(cmd *cobra.Command, c *models.Catalog, names []string) error {
				return pullModels(cmd, c, namesOrAll(c, names))
			}),
		},
		newExportTritonCommand(open),
	)
	return cmd
}

func withCatalog(open func() (*models.Catalog, error),
	do func(*cobra.Command, *models.Catalog, []string) error,
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := open()
		if err != nil {
			return usage(err)
		}
		return do(cmd, c, args)
	}
}

func namesOrAll(c *models.Catalog, names []string) []string {
	if len(names) > 0 {
		return names
	}
	for _, e := range c.Entries() {
		names = append(names, e.Name)
	}
	return names
}

func listModels(c *models.Catalog, out io.Writer) error {
	w := tabwriter.NewWriter(out, 2, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tKIND\tSTATUS\tLICENCE\tWHERE")
	for _, e := range c.Entries() {
		var status, where string
		file, err := c.Find(e.Name)
		switch {
		case err == nil:
			status, where = "ok", file.Path
		case errors.Is(err, models.ErrMissing):
			status, where = "missing", e.Source
		default:
			status, where = "refused", err.Error()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.Name, e.Kind, status, e.Licence, where)
	}
	return w.Flush()
}

func verifyModels(c *models.Catalog, names []string, out io.Writer) error {
	var errs []error
	for _, name := range names {
		file, err := c.Find(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(out, "%s  %s\n", file.SHA256, file.Path)
	}
	return errors.Join(errs...)
}

func pullModels(cmd *cobra.Command, c *models.Catalog, names []string) error {
	var errs []error
	for _, name := range names {
		path, err := c.Pull(cmd.Context(), name, downloadProgress(name))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(cmd.OutOrStdout(), path)
	}
	return errors.Join(errs...)
}

// downloadProgress draws a bar on a terminal and nothing elsewhere.
func downloadProgress(name string) models.Progress {
	if !isTerminal(os.Stderr) {
		return nil
	}
	bar := progressbar.DefaultBytes(-1, name)
	return func(done, total int64) {
		if total > 0 {
			bar.ChangeMax64(total)
		}
		_ = bar.Set64(done)
	}
}
