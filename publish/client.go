package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/liveproof/liveproof"
)

// Client calls the sessions API as an integrator's backend does.
type Client struct {
	Server string // base URL, such as http://127.0.0.1:8080
	APIKey string // of the server's configuration
	// Metrics is the URL of the server's metrics (its ops.listen), such as http://127.0.0.1:9464/metrics, for
	// Measure; "" is /metrics of Server, where versions before 0.2 serve them.
	Metrics string
	HTTP    *http.Client // nil: http.DefaultClient
}

// Session is a new session, with the URL and token for its video.
type Session struct {
	ID          string `json:"id"`
	ClientToken string `json:"client_token"`
	WHIPURL     string `json:"whip_url"`   // absolute
	SignalURL   string `json:"signal_url"` // absolute, ws or wss
}

// Create creates a session with this mode.
func (c Client) Create(ctx context.Context, mode liveproof.Mode) (s Session, err error) {
	return c.create(ctx, creation{Mode: mode}, "")
}

// creation is the body of POST /v1/sessions.
type creation struct {
	Mode       liveproof.Mode `json:"mode"`
	ExternalID string         `json:"external_id,omitempty"`
}

// create creates a session; with a key, however often it is asked for.
func (c Client) create(ctx context.Context, about creation, key string) (s Session, err error) {
	body, err := json.Marshal(about)
	if err != nil {
		return s, err
	}
	if err := c.do(ctx, http.MethodPost, "/v1/sessions", string(body), &s, "Idempotency-Key", key); err != nil {
		return s, err
	}
	if strings.HasPrefix(s.WHIPURL, "/") { // the server does not know its public address
		s.WHIPURL = c.base() + s.WHIPURL
	}
	if strings.HasPrefix(s.SignalURL, "/") {
		s.SignalURL = "ws" + strings.TrimPrefix(c.base(), "http") + s.SignalURL
	}
	return s, nil
}

func (c Client) base() string { return strings.TrimSuffix(c.Server, "/") }

// Status is the state and verdict of a session.
type Status struct {
	State    liveproof.State       `json:"state"`
	Verdict  liveproof.Outcome     `json:"verdict"`
	Score    float64               `json:"score"`
	Reasons  []liveproof.Reason    `json:"reasons"`
	Frames   liveproof.FrameCounts `json:"frames"`
	Model    liveproof.ModelInfo   `json:"model"`
	Detector string                `json:"detector"`
	// DecidedAt is when the session ended; zero while it runs.
	DecidedAt time.Time `json:"decided_at"`
}

// Status reads a session.
func (c Client) Status(ctx context.Context, id string) (s Status, err error) {
	return s, c.do(ctx, http.MethodGet, "/v1/sessions/"+url.PathEscape(id), "", &s)
}

// Timeline reads the samples of a session.
func (c Client) Timeline(ctx context.Context, id string) ([]liveproof.Sample, error) {
	var t struct {
		Samples []liveproof.Sample `json:"samples"`
	}
	err := c.do(ctx, http.MethodGet, "/v1/sessions/"+url.PathEscape(id)+"/timeline", "", &t)
	return t.Samples, err
}

// do makes one request; headers are pairs, of which those without a value are left out. An answer other than success becomes an error; it wraps liveproof.ErrOverloaded if
// the server has no capacity for the session.
func (c Client) do(ctx context.Context, method, path, body string, into any, headers ...string) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base()+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.APIKey)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := c.http().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxTimeline))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %w", method, path, refusal(resp, raw))
	}
	return json.Unmarshal(raw, into)
}

// maxTimeline bounds what is read of an answer of the sessions API, in bytes; the timeline of a long call is the longest.
const maxTimeline = 64 << 20

// overload is the error of a server without capacity.
type overload struct {
	retryAfter time.Duration // 0: the server does not say
	text       string
}

func (o *overload) Error() string { return o.text }

func (o *overload) Unwrap() error { return liveproof.ErrOverloaded }

// refusal is the error for an answer other than success.
func refusal(resp *http.Response, body []byte) error {
	var problem struct{ Code string }
	if json.Unmarshal(body, &problem) == nil && problem.Code == "overloaded" {
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // 0 without one
		return &overload{time.Duration(seconds) * time.Second, fmt.Sprintf("%v: %s: %s", liveproof.ErrOverloaded, resp.Status, body)}
	}
	return fmt.Errorf("%s: %s", resp.Status, body)
}

func (c Client) http() *http.Client {
	if c.HTTP == nil {
		return http.DefaultClient
	}
	return c.HTTP
}
