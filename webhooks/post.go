package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/liveproof/liveproof/internal/tracing"
)

var (
	errGone     = errors.New("the receiver answered 410: it wants no more of these")
	errNoSecret = errors.New("the tenant has no address or secret in the configuration any more")
)

// maxAnswer is how much of an answer is read, so that its connection can be used again.
const maxAnswer = 16 << 10

// post makes one attempt; every answer but 2xx is an error.
func (s *Sender) post(ctx context.Context, l letter) error {
	address, signers := s.cfg.URLs[l.Tenant], s.signers[l.Tenant]
	if address == "" || len(signers) == 0 {
		return errNoSecret
	}
	now := s.now()
	var signatures []string
	for _, signer := range signers {
		signature, err := signer.Sign(l.ID, now, l.Payload)
		if err != nil {
			return err
		}
		signatures = append(signatures, signature)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(l.Payload))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Liveproof")
	req.Header.Set(standardwebhooks.HeaderWebhookID, l.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	if parent := tracing.Traceparent(ctx); s.tracer != nil && parent != "" {
		req.Header.Set(tracing.Header, parent)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		if at, ok := errors.AsType[*url.Error](err); ok {
			err = at.Err // the address may hold a secret
		}
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // the status is the answer
	switch {
	case resp.StatusCode == http.StatusGone:
		return errGone
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("the receiver answered %d", resp.StatusCode)
	}
	return nil
}
