package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/liveproof/liveproof/internal/atomicfile"
)

// Progress is told of a running download: bytes so far, and in all (0: unknown).
type Progress func(done, total int64)

// Pull downloads a model, unless a verified file is there already, and returns
// its path. Only https addresses are followed, nothing above the catalogue's
// size (or 1 GiB) is written, and the file gets its name only when its
// SHA-256 is right. Errors wrap ErrDownload or ErrHash and say what to do.
func (c *Catalog) Pull(ctx context.Context, name string, progress Progress) (string, error) {
	entry, err := c.Lookup(name)
	if err != nil {
		return "", err
	}
	if file, err := c.Find(name); err == nil {
		return file.Path, nil
	} else if errors.Is(err, ErrHash) {
		return "", err // a file that is there is the operator's: it is not overwritten
	}
	addresses, err := entry.addresses()
	if err != nil {
		return "", err
	}
	var errs []error
	for _, address := range addresses {
		path, err := c.download(ctx, entry, address, progress)
		if err == nil {
			return path, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("%w: model %s: %w", ErrDownload, name, errors.Join(errs...))
}

func (e Entry) addresses() ([]string, error) {
	addresses := e.URLs
	if e.URLEnv != "" {
		if address := os.Getenv(e.URLEnv); address != "" {
			if err := checkURL(address); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrDownload, e.URLEnv, err)
			}
			addresses = append([]string{address}, addresses...)
		}
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("%w: model %s: %s", ErrDownload, e.Name, e.noAddress())
	}
	return addresses, nil
}

func (e Entry) noAddress() string {
	advice := []string{"no public address serves these bytes"}
	if e.URLEnv != "" {
		advice = append(advice, "set "+e.URLEnv+" to an https address of the file with SHA-256 "+e.SHA256)
	}
	advice = append(advice, "or copy the file "+e.File+" into a directory of "+DirsEnv)
	if e.Note != "" {
		advice = append(advice, strings.TrimSpace(e.Note))
	}
	return strings.Join(advice, "; ")
}

func downloadClient() *http.Client {
	return &http.Client{
		Timeout: 15 * time.Minute,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= 5 {
				return errors.New("more than 5 redirects")
			}
			return checkURL(r.URL.String())
		},
	}
}

// download gives the file its name once the hash is right, so a half-written file never has it.
func (c *Catalog) download(ctx context.Context, e Entry, address string, progress Progress) (string, error) {
	body, total, err := c.get(ctx, address)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	if err := os.MkdirAll(c.places.Downloads, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(c.places.Downloads, e.File)
	file, err := atomicfile.Create(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Discard() }() // the error that made it necessary is the one to tell
	found, err := copyHashed(file, &counter{reader: body, total: total, report: progress}, e.limit())
	if err != nil {
		return "", fmt.Errorf("%s: %w", address, err)
	}
	if found != e.SHA256 {
		return "", &HashError{Name: e.Name, Path: address, Expected: e.SHA256, Found: found}
	}
	return path, file.Commit()
}

func (c *Catalog) get(ctx context.Context, address string) (io.ReadCloser, int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, 0, fmt.Errorf("%s: HTTP %s", address, response.Status)
	}
	return response.Body, max(0, response.ContentLength), nil
}

// limit is the most bytes that a download of this model may have.
func (e Entry) limit() int64 {
	if e.Size > 0 {
		return e.Size
	}
	return maxBytes
}

func copyHashed(w io.Writer, r io.Reader, limit int64) (sum string, err error) {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), io.LimitReader(r, limit+1))
	if err != nil {
		return "", err
	}
	if n > limit {
		return "", fmt.Errorf("it is larger than %d bytes", limit)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// counter reports how much was read.
type counter struct {
	reader      io.Reader
	done, total int64
	report      Progress
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	c.done += int64(n)
	if c.report != nil && n > 0 {
		c.report(c.done, c.total)
	}
	return n, err
}
