package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/store"
	"github.com/liveproof/liveproof/webhooks"
)

// openWebhooks prepares the sender of webhooks; nil when no address is configured.
func openWebhooks(ctx context.Context, cfg Config, sessions sessionStore, reg prometheus.Registerer, log *slog.Logger) (*webhooks.Sender, error) {
	if len(cfg.Webhooks.URLs) == 0 {
		return nil, nil //nolint:nilnil // nobody is told
	}
	if err := sessions.WatchChanges(ctx); err != nil {
		return nil, fmt.Errorf("webhooks need Redis 6.2 or later: %w", err)
	}
	if cfg.Store.Redis == "" {
		log.Warn("webhooks wait in this process's memory, so those that are not delivered are lost when it ends; --redis URL keeps them")
	}
	sender, err := webhooks.New(cfg.Webhooks, sessions, log, reg, time.Now)
	if err != nil {
		return nil, usage(fmt.Errorf("configuration: %w", err))
	}
	return sender, nil
}

const webhooksHelp = `Lists the webhooks that could not be delivered within webhooks.attempts (dead letters), and sends them again.
They are kept in the Redis of the servers, so this command works beside them.

  liveproof webhooks list --redis redis://localhost:6379/0
  liveproof webhooks list --config liveproof.yaml --json       one JSON object per line
  liveproof webhooks replay --config liveproof.yaml ID …       with all attempts and the same ids
  liveproof webhooks replay --config liveproof.yaml --all

docs/integration.md says what webhooks are and how a receiver verifies them.`

func newWebhooksCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "webhooks", Short: "List webhooks that could not be delivered, and send them again", Long: webhooksHelp,
		Args: wantArgs(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var config, redis string
	cmd.PersistentFlags().StringVar(&config, "config", "", "configuration file of the servers, for store.redis")
	cmd.PersistentFlags().StringVar(&redis, "redis", "", "Redis URL; default: store.redis of the configuration")
	open := func(ctx context.Context) (*store.Redis, error) { return openDeadLetters(ctx, config, redis) }
	cmd.AddCommand(newWebhooksListCommand(open), newWebhooksReplayCommand(open))
	return cmd
}

// openDeadLetters connects to the Redis of the servers.
func openDeadLetters(ctx context.Context, config, redis string) (*store.Redis, error) {
	cfg, err := loadConfig(config, os.Environ())
	if err != nil {
		return nil, usage(err)
	}
	if redis != "" {
		cfg.Store.Redis = redis
	}
	if cfg.Store.Redis == "" {
		return nil, usage(errors.New("dead letters are kept in Redis: give --redis URL, or --config FILE with store.redis"))
	}
	db, err := store.NewRedis(cfg.Store, time.Now)
	if err != nil {
		return nil, usage(fmt.Errorf("store.redis: %w", err))
	}
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

type openRedis func(context.Context) (*store.Redis, error)

func newWebhooksListCommand(open openRedis) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "list", Short: "List the dead letters, the oldest first", Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			db, err := open(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }() // all is read or written by then
			letters, err := webhooks.DeadLetters(cmd.Context(), db)
			if err != nil {
				return err
			}
			return printLetters(cmd.OutOrStdout(), letters, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object per line")
	return cmd
}

func printLetters(out io.Writer, letters []webhooks.DeadLetter, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(out)
		for _, l := range letters {
			if err := lines.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	if len(letters) == 0 {
		_, err := fmt.Fprintln(out, "no dead letters")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tTENANT\tATTEMPTS\tLAST\tERROR")
	for _, l := range letters {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", l.ID, l.Tenant, l.Attempts, l.Sent.Format(time.RFC3339), l.Error)
	}
	return table.Flush()
}

func newWebhooksReplayCommand(open openRedis) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use: "replay [ID]…", Short: "Send dead letters again",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if all == (len(ids) > 0) {
				return usage(errors.New("name the dead letters (liveproof webhooks list), or give --all"))
			}
			db, err := open(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }() // all is read or written by then
			n, err := webhooks.Replay(cmd.Context(), db, ids...)
			fmt.Fprintln(cmd.OutOrStdout(), n, "will be sent again by the servers")
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all dead letters")
	return cmd
}
