package main

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tolerance is how far a webhook's time may be from this machine's.
const tolerance = 5 * time.Minute

// verifyWebhook checks a message's signature and time (Standard Webhooks). key is what LIVEPROOF_WEBHOOK_SECRET holds in base64.
func verifyWebhook(key []byte, headers http.Header, body []byte) error {
	id, sent := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > tolerance {
		return errors.New("no time, or one that is too far away")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + sent + "." + string(body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for given := range strings.FieldsSeq(headers.Get("webhook-signature")) {
		if hmac.Equal([]byte(given), []byte(want)) {
			return nil
		}
	}
	return errors.New("no signature of Liveproof's")
}

// webhookKey is the key of a secret such as whsec_MfKQ…; nil, nil without a secret.
func webhookKey(secret string) ([]byte, error) {
	if secret == "" {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 {
		return nil, errors.New(`LIVEPROOF_WEBHOOK_SECRET is not whsec_ and the base64 of at least 24 bytes`)
	}
	return key, nil
}

// message is what a decision needs of a webhook's body.
type message struct {
	Type string `json:"type"`
	Data struct {
		ID         string    `json:"id"`
		ExternalID string    `json:"external_id"`
		Result     string    `json:"result"`
		Model      *model    `json:"model"`
		DecidedAt  time.Time `json:"decided_at"`
	} `json:"data"`
}

// decision of a message. An outcome that must not count is no reason to let the visitor wait.
func (b *backend) decision(m message) string {
	o := outcome{m.Data.Result, m.Data.Model, m.Data.DecidedAt}
	if err := o.objection(b.allowDemo); err != nil {
		log.Printf("session %s: %v", m.Data.ID, err)
		return retry
	}
	return o.decision()
}

// receiveWebhook decides by Liveproof's own message, which comes even when the page is closed.
func (b *backend) receiveWebhook(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	if b.webhookKey == nil {
		answer(w, http.StatusNotFound, problem{"webhooks_off"})
		return
	}
	if err := verifyWebhook(b.webhookKey, r.Header, body); err != nil {
		refuse(w, http.StatusUnauthorized, "webhook_invalid", err)
		return
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil || m.Type == "" || m.Data.ID == "" {
		refuse(w, http.StatusBadRequest, "webhook_invalid", cmp.Or(err, errors.New("no type or no session")))
		return
	}
	if strings.HasPrefix(m.Type, "session.") {
		if decision, ok := b.checks.handle(r.Header.Get("webhook-id"), m.Data.ID, m.Data.ExternalID, b.decision(m)); ok {
			logDecision(m.Data.ID, decision, m.Type)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}
