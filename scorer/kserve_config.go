package scorer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/liveproof/liveproof/internal/check"
)

// The values of Config.Backend.
const (
	BackendLocal  = "local"
	BackendKServe = "kserve"
)

// KServeConfig is where the model runs with the backend kserve: one or more servers that speak the Open Inference Protocol (KServe's protocol
// version 2) over gRPC, such as Triton, OpenVINO Model Server and MLServer.
type KServeConfig struct {
	// Target is a gRPC target: host:port, or dns:///name:port, whose addresses are used in turn (a headless service of Kubernetes).
	Target string `yaml:"target"`
	// Model and Version are the model's on the server. An empty version takes the one that the server serves at start; a server that
	// changes it fails the running sessions.
	Model   string `yaml:"model"`
	Version string `yaml:"version"`
	// TLS, with the certificates (PEM) of CA in place of the system's if it is set, and the client's Cert and Key if the server asks for one.
	TLS  bool   `yaml:"tls"`
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// Hedge is after how long a batch without an answer is sent a second time, to another server; the first answer counts. 0 never
	// does, 1ms…60s.
	Hedge time.Duration `yaml:"hedge"`
}

func defaultKServe() KServeConfig {
	return KServeConfig{Model: "liveproof", Hedge: 200 * time.Millisecond}
}

// validate is for the backend kserve.
func (c KServeConfig) validate() error {
	return errors.Join(
		check.That("kserve.target", c.Target != "", "is empty: name the inference server, such as dns:///scorer:8001"),
		check.That("kserve.model", c.Model != "", "is empty"),
		check.That("kserve.hedge", c.Hedge == 0 || c.Hedge >= time.Millisecond && c.Hedge <= time.Minute, "%v is neither 0 nor in [1ms, 1m]", c.Hedge),
		check.That("kserve.tls", c.TLS || c.CA == "" && c.Cert == "" && c.Key == "", "is false, so ca, cert and key would not be used"),
	)
}

// credentials reads the certificates.
func (c KServeConfig) credentials() (credentials.TransportCredentials, error) {
	if !c.TLS {
		return insecure.NewCredentials(), nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("scorer.kserve.ca: %w", err)
		}
		if cfg.RootCAs = x509.NewCertPool(); !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("scorer.kserve.ca: %s holds no certificate in PEM", c.CA)
		}
	}
	if c.Cert != "" || c.Key != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("scorer.kserve.cert and key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(cfg), nil
}

// serviceConfig sends calls to all addresses in turn, and repeats one on another server if a server cannot be reached.
const serviceConfig = `{
	"loadBalancingConfig": [{"round_robin": {}}],
	"methodConfig": [{
		"name": [{"service": "inference.GRPCInferenceService"}],
		"retryPolicy": {
			"maxAttempts": 3, "initialBackoff": "0.02s", "maxBackoff": "0.2s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]
		}
	}]
}`

// remoteName is the provider in a session's record.
func (c KServeConfig) remoteName(platform string) string {
	if platform == "" {
		return BackendKServe
	}
	return BackendKServe + " " + strings.ToLower(platform)
}
