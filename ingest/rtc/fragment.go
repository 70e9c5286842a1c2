package rtc

import (
	"strings"
)

// fragment is an application/trickle-ice-sdpfrag body (RFC 8840, 9).
type fragment struct {
	credentials credentials
	candidates  []string
	end         bool
}

func parseFragment(cfg Config, text string) (fragment, error) {
	var f fragment
	if len(text) > cfg.MaxSDPBytes {
		return f, badOffer("the fragment has %d bytes; at most %d are read (webrtc.max_sdp_bytes)", len(text), cfg.MaxSDPBytes)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' {
			return f, badOffer("the fragment is not SDP (RFC 8840, 9): each line is of the form x=value")
		}
		if line[0] == 'a' {
			if err := f.take(line[2:]); err != nil {
				return f, err
			}
		}
	}
	return f, f.checkCredentials()
}

// take reads one attribute. A bundle has one set of credentials, whichever section states it.
func (f *fragment) take(attribute string) error {
	key, value, _ := strings.Cut(attribute, ":")
	switch key {
	case "ice-ufrag":
		return takeOnce(&f.credentials.ufrag, key, value)
	case "ice-pwd":
		return takeOnce(&f.credentials.pwd, key, value)
	case "candidate":
		f.candidates = append(f.candidates, "candidate:"+value)
	case "end-of-candidates":
		f.end = true
	}
	return nil
}

func takeOnce(into *string, key, value string) error {
	if *into != "" && *into != value {
		return badOffer("the fragment has two values of a=%s; one bundle has one", key)
	}
	*into = value
	return nil
}

func (f *fragment) checkCredentials() error {
	if f.credentials.pwd == "" { // trickled candidates may come without credentials, or with the user fragment alone
		return nil
	}
	return f.credentials.check()
}
