package ingest

import (
	_ "embed"
	"net/http"
	"regexp"
	"strconv"
)

//go:embed openapi.yaml
var openAPI []byte

// ownLimit is a line of openapi.yaml whose value depends on the configuration: the file has the value of the default one.
var ownLimit = regexp.MustCompile(`(?m)^( *\w+: )\S+ # of this server: (\w+)$`)

// document serves openapi.yaml with this server's limits, so that a program that checks its requests against the document
// never sends one that the server refuses.
func (s *Server) document(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(s.ownDocument())
	return nil
}

func (s *Server) ownDocument() []byte {
	seconds := map[string]float64{
		"least_deadline": s.deps.MinDeadline.Seconds(), "most_deadline": s.deps.Session.MaxDeadline.Seconds(),
	}
	return ownLimit.ReplaceAllFunc(openAPI, func(line []byte) []byte {
		found := ownLimit.FindSubmatch(line)
		return strconv.AppendFloat(found[1], seconds[string(found[2])], 'f', -1, 64)
	})
}
