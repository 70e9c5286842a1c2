package identity

import (
	"context"
	"log/slog"

	"github.com/liveproof/liveproof/onnx"
)

// Identity makes the watchers of all sessions of a process. It is safe for concurrent use.
type Identity struct {
	cfg      Config
	met      *Metrics
	log      *slog.Logger
	embedder *embedder // nil without a file
}

// Open loads the face embedder from file, which must be the one that Model names; any other is refused with ErrModel. Without a file (nil)
// it warns once, and watchers decide by appearance and cuts alone. rt may be nil without a file.
func Open(cfg Config, rt *onnx.Runtime, file []byte, met *Metrics, log *slog.Logger) (*Identity, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	i := &Identity{cfg: cfg, met: met, log: log}
	if file == nil {
		log.Warn("no model file of the face embedder: a change of person is found by cuts and by appearance alone, and every cut starts the "+
			"evidence again; `liveproof models list` shows where the file is looked for", "model", Model)
		return i, nil
	}
	var err error
	i.embedder, err = openEmbedder(cfg, rt, file)
	return i, err
}

// Embeds reports whether there is a face embedder.
func (i *Identity) Embeds() bool { return i.embedder != nil }

// Watch begins to watch one session. The watcher of a file waits for the embedder, however long it takes, so that what it finds does not
// depend on the machine's speed; that of a live stream does not hold the stream up.
func (i *Identity) Watch(waits bool) *Watcher {
	if i.embedder == nil {
		return i.watcher(nil, waits)
	}
	return i.watcher(i.embedder.embed, waits)
}

func (i *Identity) watcher(embed func(context.Context, *face) (*embedding, error), waits bool) *Watcher {
	return &Watcher{cfg: i.cfg, met: i.met, log: i.log, embed: embed, waits: waits, rules: rules{cfg: i.cfg, met: i.met, log: i.log, embeds: embed != nil}}
}

// Close waits for the runs of the embedder and frees it. It is idempotent.
func (i *Identity) Close() error {
	if i.embedder == nil {
		return nil
	}
	return i.embedder.close()
}
