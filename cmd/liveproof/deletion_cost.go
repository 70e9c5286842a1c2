package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/bits"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/internal/check"
)

const deletionCostHelp = `Runs beside a server in a pod of Kubernetes, and writes how many sessions the server runs into the pod's annotation
controller.kubernetes.io/pod-deletion-cost. When a Deployment is scaled down, the pods with the lowest cost go first.

The cost is the number of sessions rounded down to a power of two, and it is written only when it changes: each write is an update of the pod
that many parts of a cluster hear of. The Helm chart in deploy/helm starts it; it needs POD_NAME, POD_NAMESPACE and a service account that may
patch pods.`

// deletionCostAnnotation is read by the controller of ReplicaSets (Kubernetes 1.22).
const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost"

// sessionsMetric is the gauge of package ingest/live.
const sessionsMetric = "liveproof_sessions_active"

func newDeletionCostCommand() *cobra.Command {
	var metrics, account string
	every := time.Minute
	cmd := &cobra.Command{
		Use: "deletion-cost", Short: "Tell Kubernetes which pods have the fewest sessions", Long: deletionCostHelp, Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := check.That("--every", every >= time.Second, "%v is less than 1s", every); err != nil {
				return usage(err)
			}
			pod, err := thisPod(os.Getenv, account)
			if err != nil {
				return usage(err)
			}
			log := newLogger(LogConfig{Format: "json"}, cmd.ErrOrStderr())
			return (&deletionCost{pod: pod, metrics: metrics, log: log, written: -1}).run(cmd.Context(), every)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&metrics, "metrics", "http://127.0.0.1:9464/metrics", "the server's metrics")
	flags.StringVar(&account, "account", "/var/run/secrets/kubernetes.io/serviceaccount", "directory of the service account's token and ca.crt")
	flags.DurationVar(&every, "every", every, "how often the sessions are counted")
	return cmd
}

// deletionCost keeps one pod's annotation.
type deletionCost struct {
	pod     podClient
	metrics string
	log     *slog.Logger
	written int // -1: not yet
}

// run goes on after errors, which Kubernetes cannot help by a restart; it ends with ctx.
func (d *deletionCost) run(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := d.update(ctx); err != nil && ctx.Err() == nil {
			d.log.Warn("the pod's deletion cost may be out of date", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// update writes the cost if it has changed.
func (d *deletionCost) update(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	sessions, err := countSessions(ctx, d.metrics)
	if err != nil {
		return fmt.Errorf("count sessions: %w", err)
	}
	cost := costOf(sessions)
	if cost == d.written {
		return nil
	}
	if err := d.pod.annotate(ctx, deletionCostAnnotation, fmt.Sprint(cost)); err != nil {
		return fmt.Errorf("annotate pod %s: %w", d.pod.name, err)
	}
	d.written = cost
	d.log.Info("deletion cost written", "sessions", sessions, "cost", cost)
	return nil
}

// costOf is the largest power of two up to a number of sessions; 0 for none.
func costOf(sessions int) int {
	if sessions < 1 {
		return 0
	}
	return 1 << (bits.Len(uint(sessions)) - 1)
}

// countSessions reads the gauge of the running sessions.
func countSessions(ctx context.Context, metrics string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, metrics, nil)
	if err != nil {
		return 0, err
	}
	body, err := send(http.DefaultClient, request, 4<<20)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(body)) {
		if value, found := strings.CutPrefix(line, sessionsMetric+" "); found {
			sessions, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int(sessions), err
		}
	}
	return 0, fmt.Errorf("%s has no gauge %s", metrics, sessionsMetric)
}

// podClient patches the pod in which it runs.
type podClient struct {
	server, namespace, name string
	tokenFile               string // read for each call: Kubernetes renews it
	client                  *http.Client
}

// thisPod reads what Kubernetes tells its pods.
func thisPod(getenv func(string) string, account string) (podClient, error) {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	p := podClient{
		server: "https://" + net.JoinHostPort(host, port), namespace: getenv("POD_NAMESPACE"), name: getenv("POD_NAME"),
		tokenFile: filepath.Join(account, "token"),
	}
	if host == "" || port == "" || p.namespace == "" || p.name == "" {
		return p, errors.New("KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT, POD_NAMESPACE and POD_NAME must be set: this command runs in a pod")
	}
	pem, err := os.ReadFile(filepath.Join(account, "ca.crt"))
	if err != nil {
		return p, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return p, fmt.Errorf("%s/ca.crt holds no certificate in PEM", account)
	}
	p.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, IdleConnTimeout: 30 * time.Second}}
	return p, nil
}

// annotate sets one annotation (JSON merge patch, RFC 7386).
func (p podClient) annotate(ctx context.Context, key, value string) error {
	token, err := os.ReadFile(p.tokenFile)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{key: value}}})
	if err != nil {
		return err
	}
	url := fmt.Sprintf("%s/api/v1/namespaces/%s/pods/%s", p.server, p.namespace, p.name)
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, bytes.NewReader(patch))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/merge-patch+json")
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	_, err = send(p.client, request, 1<<20)
	return err
}

// send returns the body, up to limit bytes, of an answer with status 200.
func send(client *http.Client, request *http.Request, limit int64) ([]byte, error) {
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", answer.Status, body)
	}
	return body, err
}
