package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	keysAge   = 5 * time.Minute // how long keys are used: Liveproof publishes a key this long before it signs
	keysPause = 5 * time.Second // the least time between two reads, whatever results name
)

// keySet holds the public keys of Liveproof's results, by their ids.
type keySet struct {
	url  string
	http *http.Client

	mu    sync.Mutex
	asked time.Time // the last attempt to read them
	read  time.Time // the last that succeeded
	keys  map[string]ed25519.PublicKey
}

// find returns the key. It reads the keys again when they are old, or when the id is unknown: the key may be new. Between two attempts,
// also such that failed, is a pause: anybody can send results that name unknown keys.
func (k *keySet) find(ctx context.Context, id string) (ed25519.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, known := k.keys[id]
	if (!known || time.Since(k.read) > keysAge) && time.Since(k.asked) > keysPause {
		k.asked = time.Now()
		if err := k.fetch(context.WithoutCancel(ctx)); err != nil { // one caller that leaves must not cost the others the pause
			return nil, err
		}
	}
	if time.Since(k.read) > keysAge {
		return nil, fmt.Errorf("%s could not be read", k.url)
	}
	if key, known := k.keys[id]; known {
		return key, nil
	}
	return nil, fmt.Errorf("%s has no key %.64q", k.url, id)
}

// fetch reads the JWK Set (RFC 7517).
func (k *keySet) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, http.NoBody)
	if err != nil {
		return err
	}
	body, err := send(k.http, req)
	if err != nil {
		return err
	}
	var set struct {
		Keys []struct{ Kid, Kty, Crv, X string }
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return err
	}
	k.keys, k.read = map[string]ed25519.PublicKey{}, time.Now()
	for _, key := range set.Keys {
		x, err := base64.RawURLEncoding.DecodeString(key.X)
		if err == nil && key.Kty == "OKP" && key.Crv == "Ed25519" && len(x) == ed25519.PublicKeySize {
			k.keys[key.Kid] = x
		}
	}
	return nil
}
