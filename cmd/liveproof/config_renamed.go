package main

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// renamed maps keys of older versions to their new names.
var renamed = map[string]string{
	"ingest.token_ttl":        "session.token_ttl",
	"ingest.session_ttl":      "session.record_ttl",
	"ingest.deadline":         "session.deadline",
	"ingest.max_deadline":     "session.max_deadline",
	"ingest.max_call":         "session.max_call",
	"ingest.max_sessions":     "session.max_sessions",
	"ingest.connect_timeout":  "session.connect_timeout",
	"ingest.disconnect_grace": "session.disconnect_grace",
	"ingest.decide_timeout":   "session.decide_timeout",
	"ingest.drain_timeout":    "session.drain_timeout",
	"ingest.rate_per_key":     "ingest.rate_per_tenant",
	"onnx.tensorrt_fp16":      "onnx.precision",
	"ops.pprof":               "ops.profiles",
	"pipeline.idle_timeout":   "session.idle_timeout",
	"pipeline.decide_timeout": "session.decide_timeout",
	"verdict.deadline":        "session.deadline",
	"webrtc.connect_timeout":  "session.connect_timeout",
	"webrtc.idle_timeout":     "session.idle_timeout",
}

// refuseRenamed names every key of an older version, with its new name.
func refuseRenamed(raw []byte) error {
	var sections map[string]map[string]yaml.Node
	if err := yaml.Unmarshal(raw, &sections); err != nil {
		return nil //nolint:nilerr // not such a mapping: the strict decoder reports the error
	}
	var errs []error
	for section, keys := range sections {
		for key := range keys {
			if now, ok := renamed[section+"."+key]; ok {
				errs = append(errs, fmt.Errorf("%s.%s: this key is now %s", section, key, now))
			}
		}
	}
	return errors.Join(errs...)
}

// renamedVariable does the same for the environment: LIVEPROOF_<SECTION>_<KEY> and
// the keys below it.
func renamedVariable(name string) (now string, ok bool) {
	for old, key := range renamed {
		if rest, found := strings.CutPrefix(name, variable(old)); found && (rest == "" || rest[0] == '_') {
			return variable(key) + rest, true
		}
	}
	return "", false
}

func variable(key string) string {
	return "LIVEPROOF_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}
