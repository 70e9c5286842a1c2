package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// digest tells apart what makes other crops of the same videos: the detector's
// file, and the settings of detector and decoder; not where and how fast they run.
func (e *engine) digest() string {
	d := e.cfg.Detector
	d.Parallel, d.Provider, d.Cascade = 0, "", ""
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %+v %d %v", e.network, d, e.cfg.Media.MaxPixels, e.cfg.Media.RawFrameRate))
	return hex.EncodeToString(sum[:8])
}
