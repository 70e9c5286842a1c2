package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/liveproof/liveproof/results"
)

// openResults reads the keys that sign results. Without one it returns nil, except for a demo, which makes a key of its own.
func openResults(cfg Config, mode serveMode, log *slog.Logger) (*results.Signer, error) {
	c := cfg.Results
	c.Issuer = cmp.Or(c.Issuer, cfg.Ingest.PublicURL, "liveproof")
	generated := len(c.Keys) == 0 && mode.demo
	if generated {
		key, err := results.NewKey()
		if err != nil {
			return nil, err
		}
		c.Keys = []string{key}
	}
	if len(c.Keys) == 0 {
		return nil, nil //nolint:nilnil // results are not signed
	}
	signer, err := results.New(c, time.Now)
	if err != nil {
		return nil, usage(fmt.Errorf("configuration: %w", err))
	}
	if generated {
		log.Info("results are signed with a development key, which ends with this process; set results.keys", "kid", signer.KeyID())
	}
	return signer, nil
}

// reloadResults reads the keys again; signer may be nil.
func reloadResults(signer *results.Signer, log *slog.Logger) {
	if signer == nil {
		return
	}
	if err := signer.Reload(); err != nil {
		log.Error("the keys of results were not replaced; the old ones are still used", "error", err)
		return
	}
	log.Info("the keys of results were read again", "kid", signer.KeyID())
}
