package results

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// maxKeys bounds the published keys.
const maxKeys = 16

// keyring is a set of keys: what signs, and what is published.
type keyring struct {
	signing jose.JSONWebKey // private
	public  jose.JSONWebKeySet
}

// readKeys reads the keys of the configuration; without any it returns nil. Its errors never show a key.
func readKeys(entries []string) (*keyring, error) {
	if len(entries) == 0 {
		return nil, nil //nolint:nilnil // no keys: results are not signed
	}
	var ring keyring
	for i, entry := range entries {
		blocks, err := readBlocks(entry)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		for _, block := range blocks {
			if err := ring.add(block); err != nil {
				return nil, fmt.Errorf("entry %d: %w", i+1, err)
			}
		}
	}
	return &ring, nil
}

// readBlocks reads the PEM blocks of one entry, which is PEM text or names a file of it.
func readBlocks(entry string) (blocks []*pem.Block, err error) {
	text := []byte(strings.TrimSpace(entry))
	if !strings.HasPrefix(string(text), "-----BEGIN") {
		if text, err = os.ReadFile(entry); err != nil {
			return nil, err
		}
	}
	for len(blocks) <= maxKeys {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		blocks = append(blocks, block)
	}
	if len(blocks) == 0 || strings.TrimSpace(string(text)) != "" {
		return nil, errNoKey
	}
	return blocks, nil
}

var errNoKey = errors.New("not an Ed25519 key in PEM; openssl genpkey -algorithm ed25519 makes one")

// add publishes a key; the first one signs.
func (r *keyring) add(block *pem.Block) error {
	private, public := parseKey(block)
	if public == nil {
		return errNoKey
	}
	published, err := webKey(public)
	switch {
	case err != nil:
		return err
	case len(r.public.Keys) == maxKeys:
		return fmt.Errorf("more than %d keys", maxKeys)
	case len(r.public.Key(published.KeyID)) > 0:
		return fmt.Errorf("the key with the thumbprint %s is given twice", published.KeyID)
	case len(r.public.Keys) == 0 && private == nil:
		return errors.New("the first key signs, so it must be a private key")
	case len(r.public.Keys) == 0:
		r.signing = jose.JSONWebKey{Key: private, KeyID: published.KeyID, Algorithm: published.Algorithm}
	}
	r.public.Keys = append(r.public.Keys, published)
	return nil
}

// parseKey returns the key of a PEM block: private is nil for a public key, and public is nil for anything but an Ed25519 key.
func parseKey(block *pem.Block) (private ed25519.PrivateKey, public ed25519.PublicKey) {
	var parsed any
	switch block.Type {
	case "PRIVATE KEY":
		parsed, _ = x509.ParsePKCS8PrivateKey(block.Bytes) // what cannot be parsed is no key
	case "PUBLIC KEY":
		parsed, _ = x509.ParsePKIXPublicKey(block.Bytes)
	}
	switch key := parsed.(type) {
	case ed25519.PrivateKey:
		return key, key.Public().(ed25519.PublicKey)
	case ed25519.PublicKey:
		return nil, key
	}
	return nil, nil
}

// webKey is a public key as it is published; its id is the key's thumbprint (RFC 7638).
func webKey(public ed25519.PublicKey) (jose.JSONWebKey, error) {
	key := jose.JSONWebKey{Key: public, Algorithm: string(jose.EdDSA), Use: "sig"}
	sum, err := key.Thumbprint(crypto.SHA256)
	key.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return key, err
}

// NewKey returns a new private key in PEM, for a development server.
func NewKey() (string, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}
