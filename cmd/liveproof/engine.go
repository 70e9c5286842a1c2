package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/term"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/models"
	"github.com/liveproof/liveproof/onnx"
	"github.com/liveproof/liveproof/pipeline"
	"github.com/liveproof/liveproof/scorer"
	"github.com/liveproof/liveproof/store"
)

// detectorModel is looked for in the catalogue; without it the Haar cascade serves.
const detectorModel = "retinaface-mobilenet025"

// sessionStore is what serve needs of a store; both of package store's are one.
type sessionStore interface {
	ingest.Sessions
	pipeline.Recorder
	io.Closer
}

// engine is what judges frames, shared by all sessions of the process.
type engine struct {
	cfg      Config
	log      *slog.Logger
	runtime  *onnx.Runtime
	detector *detector.Detector
	cropper  *detector.Cropper
	scorer   *scorer.Batcher
	metrics  *pipeline.Metrics
	pool     *liveproof.ImagePool
}
