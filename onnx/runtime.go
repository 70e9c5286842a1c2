// Package onnx runs ONNX networks with ONNX Runtime: it finds the shared
// library, keeps the process-wide environment, applies the execution provider
// (CPU, OpenVINO, CUDA, TensorRT) and wraps sessions and tensors so that a call
// from Go copies and allocates next to nothing.
package onnx

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// Errors of this package; test with errors.Is.
var (
	// ErrProvider: the configured execution provider cannot be used here.
	ErrProvider = errors.New("execution provider is not usable")
	// ErrModel: the bytes are not a network that ONNX Runtime accepts.
	ErrModel = errors.New("not a usable ONNX model")
	// ErrClosed: the runtime, session or tensor was closed.
	ErrClosed = errors.New("closed")
)

// environment is ONNX Runtime's own process-wide state: one library, one
// environment. It is the only package state, because the library itself has
// exactly one environment per process. Runtimes, sessions and tensors each hold
// a reference, and the release of the last one unloads it, unless OpenVINO was used.
type environment struct {
	mu      sync.Mutex
	refs    int
	library string
	loaded  bool
	// kept says that the library is never unloaded. Threads of OpenVINO may still be ending when its
	// last session is closed, and unloading their code would end the process.
	kept bool
	// pins keeps every tensor's pin reachable: a forgotten Close then costs memory,
	// where an unreachable pin would end the process.
	pins map[*runtime.Pinner]struct{}
}

var shared = environment{pins: map[*runtime.Pinner]struct{}{}}

// open loads library or joins what is loaded already.
func (e *environment) open(library string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.loaded && e.library != library {
		return fmt.Errorf("%w: %s is loaded already, %s cannot be loaded beside it", ErrLibrary, e.library, library)
	}
	if !e.loaded {
		if err := initialise(library); err != nil {
			return err
		}
		e.library, e.loaded = library, true
	}
	e.refs++
	return nil
}

// acquire adds a reference; the caller must hold one already.
func (e *environment) acquire() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refs++
}

// keep makes the library stay loaded until the process ends.
func (e *environment) keep() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept = true
}

// pin keeps memory, which ONNX Runtime remembers the address of, in its place.
func (e *environment) pin(address any) *runtime.Pinner {
	p := &runtime.Pinner{}
	p.Pin(address)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pins[p] = struct{}{}
	return p
}

func (e *environment) unpin(p *runtime.Pinner) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.pins, p)
	p.Unpin()
}

func (e *environment) release() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refs--
	if e.refs > 0 || e.kept {
		return nil
	}
	e.loaded = false
	if err := ort.DestroyEnvironment(); err != nil {
		return fmt.Errorf("unload ONNX Runtime: %w", err)
	}
	return nil
}

func initialise(library string) error {
	ort.SetSharedLibraryPath(library)
	// Every failure comes back as an error to its caller; ONNX Runtime must not log it on stderr as well.
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return fmt.Errorf("%w: %s: %w (ONNX Runtime 1.24 or newer is needed; %s)", ErrLibrary, library, err, libraryRemedy)
	}
	return nil
}

// Runtime loads networks. It is safe for concurrent use.
type Runtime struct {
	cfg     Config
	library string
	version string

	mu     sync.Mutex
	closed bool
}

// Open finds and loads ONNX Runtime's shared library (the first of: cfg.Library,
// $LIVEPROOF_ONNXRUNTIME, lib/ beside or above the executable,
// .cache/onnxruntime of the checkout, the system's library directories) and
// initialises its environment, once per process. Errors wrap ErrLibrary and
// say what to do.
func Open(cfg Config) (*Runtime, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	library, err := findLibrary(cfg.Library, currentSurroundings())
	if err != nil {
		return nil, err
	}
	if err := shared.open(library); err != nil {
		return nil, err
	}
	return &Runtime{cfg: cfg, library: library, version: ort.GetVersion()}, nil
}

// Library is the path of the loaded shared library.
func (r *Runtime) Library() string { return r.library }

// Version is that of the loaded library, such as "1.30.0".
func (r *Runtime) Version() string { return r.version }

// Provider is the configured execution provider.
func (r *Runtime) Provider() Provider { return r.cfg.Provider }

// Close gives the runtime back. Sessions and tensors that still exist stay
// usable; the library is unloaded after the last of them. It is idempotent.
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	return shared.release()
}

// acquire takes a reference on the environment for a session or tensor.
func (r *Runtime) acquire() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fmt.Errorf("ONNX runtime: %w", ErrClosed)
	}
	shared.acquire()
	return nil
}
