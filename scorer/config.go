package scorer

import (
	"errors"
	"runtime"
	"strings"
	"time"

	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/onnx"
)

const (
	maxBatchSize = 256
	// gpuWorkers is how many batches a GPU is given at once: while it computes two, the crops of the next are
	// copied. With three an H200 scored 1.1 to 1.2 times what it did with two.
	gpuWorkers = 3
)

// Config of the scorer; one per process.
type Config struct {
	// Model is a name of the model catalogue or the path of an .onnx file.
	Model string `yaml:"model"`
	// ModelSHA256 is the file's hash, 64 hex digits, when model is a path; empty
	// accepts any file.
	ModelSHA256 string `yaml:"model_sha256"`
	// Backend is where the model runs: local, in this process, or kserve, on the inference servers of section kserve. With kserve, model
	// is the same file, which is read for its metadata and for a comparison at start.
	Backend string       `yaml:"backend"`
	KServe  KServeConfig `yaml:"kserve"`
	// MaxBatch is the most crops of one run of the network, 1…256. More than 8 speed up
	// GPUs only; let queue_capacity hold four such batches. cuda keeps the network in memory
	// once for each of the batch sizes 1, 4, 16, 32, … max_batch.
	MaxBatch int `yaml:"max_batch"`
	// MaxWait is how long a crop waits for company while another batch runs, 0…1s.
	MaxWait time.Duration `yaml:"max_wait"`
	// QueueCapacity is the largest number of waiting crops, 1…65536; each takes 147 KiB.
	QueueCapacity int `yaml:"queue_capacity"`
	// PerSession is the most crops of one session waiting, 1…QueueCapacity.
	PerSession int `yaml:"per_session"`
	// Workers is the number of batches that run at once, 1…64; 0: one per core on
	// the CPU (at most 16), 3 on a GPU, where one worker copies its crops while the
	// others compute. With one thread each, workers use the cores better than one run on
	// several threads: measured with int8 and fp32, two threads cost 10–20 % more CPU
	// time per crop than one.
	Workers int `yaml:"workers"`
	// IntraOpThreads is the number of threads of one run, 0…256; 0 takes onnx.intra_op_threads.
	IntraOpThreads int `yaml:"intra_op_threads"`
	// BatchTimeout stops a run of the network, 10ms…60s.
	BatchTimeout time.Duration `yaml:"batch_timeout"`
	// AdmitWait is the waiting time of the oldest crop above which new
	// sessions are not admitted, 1ms…60s.
	AdmitWait time.Duration `yaml:"admit_wait"`
	// FailureThreshold is the number of batches failed in a row after which the scorer
	// is not ready, 1…1000.
	FailureThreshold int `yaml:"failure_threshold"`
	// ProbeInterval is the time between attempts to recover while not ready, 10ms…10m.
	ProbeInterval time.Duration `yaml:"probe_interval"`
}

// DefaultConfig suits a CPU server.
func DefaultConfig() Config {
	return Config{
		Model:            "liveproof-demo-resnet18-int8",
		Backend:          BackendLocal,
		KServe:           defaultKServe(),
		MaxBatch:         8,
		MaxWait:          5 * time.Millisecond,
		QueueCapacity:    256,
		PerSession:       8,
		Workers:          0,
		IntraOpThreads:   1,
		BatchTimeout:     2 * time.Second,
		AdmitWait:        400 * time.Millisecond,
		FailureThreshold: 3,
		ProbeInterval:    time.Second,
	}
}

// Validate reports every value out of range; each message begins with its key.
func (c Config) Validate() error {
	return errors.Join(
		check.That("model", c.Model != "", "is empty"),
		check.That("model_sha256", c.ModelSHA256 == "" || isSHA256(strings.ToLower(c.ModelSHA256)),
			"%q is not 64 hex digits", c.ModelSHA256),
		check.That("backend", c.Backend == BackendLocal || c.Backend == BackendKServe, "%q is neither local nor kserve", c.Backend),
		c.validateKServe(),
		check.In("max_batch", c.MaxBatch, 1, maxBatchSize),
		check.In("max_wait", c.MaxWait, 0, time.Second),
		check.In("queue_capacity", c.QueueCapacity, 1, 65536),
		check.In("per_session", c.PerSession, 1, c.QueueCapacity),
		check.In("workers", c.Workers, 0, 64),
		check.In("intra_op_threads", c.IntraOpThreads, 0, 256),
		check.In("batch_timeout", c.BatchTimeout, 10*time.Millisecond, time.Minute),
		check.In("admit_wait", c.AdmitWait, time.Millisecond, time.Minute),
		check.In("failure_threshold", c.FailureThreshold, 1, 1000),
		check.In("probe_interval", c.ProbeInterval, 10*time.Millisecond, 10*time.Minute))
}

func (c Config) validateKServe() error {
	if c.Backend != BackendKServe {
		return nil
	}
	return c.KServe.validate()
}

// workersOn resolves Workers for an execution provider.
func (c Config) workersOn(p onnx.Provider) int {
	switch {
	case c.Workers > 0:
		return c.Workers
	case p.OnCPU():
		return min(runtime.GOMAXPROCS(0), 16)
	}
	return gpuWorkers
}
