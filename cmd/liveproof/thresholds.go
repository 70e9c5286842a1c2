package main

import (
	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
)

// thresholdInLog says what judges the sessions without a calibration of their tenant or their request.
func thresholdInLog(e *engine.Engine) []any {
	t, err := e.Threshold(liveproof.Session{})
	if err != nil {
		return []any{"threshold", err}
	}
	fields := []any{"threshold", t.Value, "threshold_of", string(t.Source)}
	if t.Calibration != "" {
		fields = append(fields, "calibration", t.Calibration)
	}
	if n := len(e.Config().Calibration.Tenants); n > 0 {
		fields = append(fields, "tenant_calibrations", n)
	}
	if names := e.Calibrations(); len(names) > 0 {
		fields = append(fields, "request_calibrations", names)
	}
	return fields
}
