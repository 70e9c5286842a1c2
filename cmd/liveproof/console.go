package main

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/console"
	"github.com/liveproof/liveproof/ingest"
)

// hasConsole: the configuration switches the console on, and so does a development server.
func (s *service) hasConsole() bool { return s.ops != nil && (s.cfg.Ops.Console || s.mode.demo) }

// openConsole adds the operator's page to the listener of ops. Where only this machine reaches it, nobody logs in there.
func (s *service) openConsole(sessions console.Sessions, reg prometheus.Gatherer) error {
	if !s.hasConsole() {
		return nil
	}
	deps := console.Deps{Sessions: sessions, Metrics: reg, Log: s.log, Tenants: s.tenants()}
	if !s.cfg.Ops.open() {
		deps.Login, deps.Operator = ingest.TenantOf(s.cfg.Ingest.APIKeys), s.operator()
	}
	handler, err := console.New(deps)
	if err != nil {
		return err
	}
	s.ops.mux.Handle(console.Path, handler)
	s.ops.mux.Handle(console.Path+"/", handler)
	return nil
}

// operator tells operators' keys, in a time that does not depend on how much of a key is right.
func (s *service) operator() func(key string) bool {
	var keys []ingest.APIKey
	for _, key := range s.cfg.Ops.OperatorKeys {
		keys = append(keys, ingest.APIKey{Key: key})
	}
	find := ingest.TenantOf(keys)
	return func(key string) bool { _, ok := find(key); return ok }
}

// tenants are those of the keys, in their order. The sessions of the demo page belong to the default tenant.
func (s *service) tenants() (all []string) {
	if s.mode.demo {
		all = []string{liveproof.DefaultTenant}
	}
	for _, k := range s.cfg.Ingest.APIKeys {
		if tenant := cmp.Or(k.Tenant, liveproof.DefaultTenant); !slices.Contains(all, tenant) {
			all = append(all, tenant)
		}
	}
	return all
}
