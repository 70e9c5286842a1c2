package ingest

import (
	"net/http"
	"slices"
	"strings"
)

// route is one operation of openapi.yaml.
type route struct {
	method, path string
	handle       func(http.ResponseWriter, *http.Request) error
	// cors opens the path to pages of the configured origins.
	cors bool
}

// table is every route of the server; a test holds it against openapi.yaml.
func (s *Server) table() []route {
	routes := []route{
		{"POST", "/v1/sessions", s.withKey(s.createSession), false},
		{"GET", "/v1/sessions", s.withKey(s.listSessions), false},
		{"GET", "/v1/sessions/{id}", s.withKey(s.readSession), false},
		{"DELETE", "/v1/sessions/{id}", s.withKey(s.deleteSession), false},
		{"GET", "/v1/sessions/{id}/timeline", s.withKey(s.readTimeline), false},
		{"GET", "/v1/sessions/{id}/result", s.readResult, true},
		{"OPTIONS", "/v1/sessions/{id}/result", s.nothing, true},
		{"POST", "/v1/sessions/{id}/read_token", s.withKey(s.createReadToken), false},
		{"GET", "/v1/sessions/{id}/events", s.followSession, true},
		{"OPTIONS", "/v1/sessions/{id}/events", s.nothing, true},
		{"GET", "/v1/sessions/{id}/challenge", s.perAddress(s.readChallenge), true},
		{"DELETE", "/v1/sessions/{id}/challenge", s.perAddress(s.declineChallenge), true},
		{"OPTIONS", "/v1/sessions/{id}/challenge", s.nothing, true},
		{"GET", "/.well-known/jwks.json", s.resultKeys, false},
		{"GET", "/v1/sessions/{id}/signal", s.perAddress(s.signal), false},
		{"POST", whipEndpoint, s.perAddress(s.whipOffer), true},
		{"GET", whipEndpoint, s.perAddress(s.whipNothing), true},
		{"OPTIONS", whipEndpoint, s.whipOptions, true},
		{"PATCH", whipResource, s.perAddress(s.whipPatch), true},
		{"DELETE", whipResource, s.perAddress(s.whipEnd), true},
		{"GET", whipResource, s.perAddress(s.whipNothing), true},
		{"OPTIONS", whipResource, s.whipOptions, true},
		{"GET", "/healthz", s.healthz, false},
		{"GET", "/readyz", s.readyz, false},
		{"GET", "/openapi.yaml", s.document, false},
		{"GET", "/", s.web.serve, false},
	}
	if s.deps.Demo || s.deps.Dev {
		routes = append(routes,
			route{"POST", "/demo/sessions", s.sameOrigin(s.perAddress(s.demoCreate)), false},
			route{"GET", "/demo/sessions/{id}", s.perAddress(s.demoRead), false},
			route{"GET", "/demo/config", s.perAddress(s.demoConfig), false})
	}
	return routes
}

// mux serves the table; it answers everything else with problem JSON too.
func (s *Server) mux(routes []route) http.Handler {
	byPath := make(map[string]map[string]route)
	for _, r := range routes {
		if byPath[r.path] == nil {
			byPath[r.path] = make(map[string]route)
		}
		byPath[r.path][r.method] = r
	}
	mux := http.NewServeMux()
	for path, methods := range byPath {
		mux.Handle(path, s.endpoint(path, methods))
	}
	for _, prefix := range []string{"/v1/", "/demo/"} {
		mux.Handle(prefix, s.endpoint("other", nil))
	}
	mux.Handle("/metrics", s.wrap("other", func(http.ResponseWriter, *http.Request) error {
		return problem(CodeNotFound, "metrics are not served to clients: ask the address of ops.listen")
	}))
	return mux
}

// endpoint chooses by method; HEAD is GET.
func (s *Server) endpoint(path string, methods map[string]route) http.Handler {
	var allowed []string
	open := false
	for m, r := range methods {
		allowed = append(allowed, m)
		open = open || r.cors
		if m == "GET" {
			allowed = append(allowed, "HEAD")
		}
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	return s.wrap(path, func(w http.ResponseWriter, r *http.Request) error {
		if open {
			s.cors(w, r, allow)
		}
		method := r.Method
		if method == "HEAD" {
			method = "GET"
		}
		chosen, ok := methods[method]
		switch {
		case ok && r.Method == http.MethodOptions:
			w.Header().Set("Allow", allow)
			return chosen.handle(w, r)
		case ok:
			return chosen.handle(w, r)
		case methods == nil:
			return problem(CodeNotFound, "no such resource")
		}
		w.Header().Set("Allow", allow)
		return problem(CodeMethodNotAllowed, "allowed: "+allow)
	})
}
