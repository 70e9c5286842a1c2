// Package configs carries the configuration files that the binary knows
// without finding them on disk.
package configs

import _ "embed"

//go:embed models.yaml
var models []byte

// Models is the built-in model catalogue, models.yaml.
func Models() []byte { return append([]byte(nil), models...) }
