package identity

import (
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

// Watch begins to watch one session.
func (i *Identity) Watch() *Watcher {
	w := &Watcher{cfg: i.cfg, met: i.met, log: i.log}
	if i.embedder != nil {
		w.embed = i.embedder.embed
	}
	return w
}

// Close waits for the runs of the embedder and frees it. It is idempotent.
func (i *Identity) Close() error {
	if i.embedder == nil {
		return nil
	}
	return i.embedder.close()
}
