package evaluation

import (
	"fmt"
	"strings"
)

// resultVersion must be raised when a change of code gives other results of the same files. Results of two versions do not
// share a folder.
const resultVersion = 1

// Settings are all that decides the results beside the files. A folder holds results of one set of settings.
type Settings struct {
	Version  int    `json:"version"` // filled in by Run
	Via      Via    `json:"via"`
	Model    string `json:"model"`    // SHA-256 of its file
	Detector string `json:"detector"` // its name, and the SHA-256 of its file
	Config   string `json:"config"`   // hash of the configuration
	Checks   string `json:"checks"`   // which of the pipeline's tests are off
	Sender   string `json:"sender"`   // with ViaWebRTC: encoder, server and network
}

// difference names what differs, for people; it is empty for equal settings.
func (s Settings) difference(now Settings) string {
	var parts []string
	for _, field := range []struct{ name, there, now string }{
		{"version", fmt.Sprint(s.Version), fmt.Sprint(now.Version)},
		{"path", string(s.Via), string(now.Via)},
		{"model", s.Model, now.Model},
		{"detector", s.Detector, now.Detector},
		{"configuration", s.Config, now.Config},
		{"checks", s.Checks, now.Checks},
		{"sender", s.Sender, now.Sender},
	} {
		if field.there != field.now {
			parts = append(parts, fmt.Sprintf("%s %q there and %q now", field.name, field.there, field.now))
		}
	}
	return strings.Join(parts, ", ")
}
