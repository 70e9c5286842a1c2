package calibration

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/liveproof/liveproof/internal/check"
)

// maxFile caps a calibration file, in bytes. One with a hundred species takes 4 KiB.
const maxFile = 64 << 10

// Parse reads the content of a calibration file. An error names each value that is wrong by its key.
func Parse(data []byte) (Calibration, error) {
	if len(data) > maxFile {
		return Calibration{}, fmt.Errorf("not a calibration: more than %d bytes", maxFile)
	}
	c, err := parse(data)
	if err != nil {
		return Calibration{}, err
	}
	sum := sha256.Sum256(data)
	c.SHA256 = hex.EncodeToString(sum[:])
	return c, nil
}

// Read reads a calibration file.
func Read(path string) (Calibration, error) {
	f, err := os.Open(path)
	if err != nil {
		return Calibration{}, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Calibration{}, err
	}
	c, err := Parse(data)
	return c, check.Prefix(path+": ", err)
}

// Encode gives the content of a calibration file, which Parse reads. It refuses what Parse would refuse.
func (c Calibration) Encode() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(c, "", "  ")
	return append(data, '\n'), err
}
