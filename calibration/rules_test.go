package calibration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// named is a calibration of our model as it would be read.
func named(name string, threshold float64) Calibration {
	c := valid()
	c.Name, c.Threshold, c.SHA256 = name, threshold, strings.Repeat("1f", 32)
	return c
}

// TestPrecedence: request, tenant, configuration, model; the first that applies.
func TestPrecedence(t *testing.T) {
	all := named("all", 0.3)
	calibrated := func(source liveproof.ThresholdSource, name string, value float64) liveproof.Threshold {
		return liveproof.Threshold{Value: value, Source: source, Calibration: name, CalibrationSHA256: all.SHA256}
	}
	special := Rules{
		Requests: map[string]Calibration{"high_value": named("strict", 0.9)},
		Tenants:  map[string]Calibration{"bank-a": named("of-a", 0.2)},
	}
	withDefault, withNumber := special, special
	withDefault.Default, withNumber.Threshold = &all, 0.4
	for _, c := range []struct {
		name    string
		rules   Rules
		session liveproof.Session
		want    liveproof.Threshold
	}{
		{"nothing", Rules{}, liveproof.Session{Tenant: "bank-a"}, liveproof.Threshold{Value: 0.5, Source: liveproof.ThresholdOfModel}},
		{"number", Rules{Threshold: 0.4}, liveproof.Session{}, liveproof.Threshold{Value: 0.4, Source: liveproof.ThresholdOfConfiguration}},
		{"default", Rules{Default: &all}, liveproof.Session{}, calibrated(liveproof.ThresholdOfConfiguration, "all", 0.3)},
		{"another tenant, model", special, liveproof.Session{Tenant: "bank-b"}, liveproof.Threshold{Value: 0.5, Source: liveproof.ThresholdOfModel}},
		{"another tenant, number", withNumber, liveproof.Session{Tenant: "bank-b"}, liveproof.Threshold{Value: 0.4, Source: liveproof.ThresholdOfConfiguration}},
		{"another tenant, default", withDefault, liveproof.Session{Tenant: "bank-b"}, calibrated(liveproof.ThresholdOfConfiguration, "all", 0.3)},
		{"tenant before model", special, liveproof.Session{Tenant: "bank-a"}, calibrated(liveproof.ThresholdOfTenant, "of-a", 0.2)},
		{"tenant before number", withNumber, liveproof.Session{Tenant: "bank-a"}, calibrated(liveproof.ThresholdOfTenant, "of-a", 0.2)},
		{"tenant before default", withDefault, liveproof.Session{Tenant: "bank-a"}, calibrated(liveproof.ThresholdOfTenant, "of-a", 0.2)},
		{"request before tenant", withDefault, liveproof.Session{Tenant: "bank-a", Calibration: "high_value"}, calibrated(liveproof.ThresholdOfRequest, "strict", 0.9)},
		{"request before number", withNumber, liveproof.Session{Tenant: "bank-b", Calibration: "high_value"}, calibrated(liveproof.ThresholdOfRequest, "strict", 0.9)},
		{"request before model", special, liveproof.Session{Calibration: "high_value"}, calibrated(liveproof.ThresholdOfRequest, "strict", 0.9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.rules.For(c.session, ours)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.True(t, got.Valid())
		})
	}
}

// TestNothingIsJudgedByAnotherModelsThreshold: nor does the rule go on to the next source.
func TestNothingIsJudgedByAnotherModelsThreshold(t *testing.T) {
	all := named("all", 0.3)
	for _, c := range []struct {
		rules   Rules
		session liveproof.Session
		key     string
	}{
		{Rules{Default: &all}, liveproof.Session{}, "calibration.default"},
		{Rules{Tenants: map[string]Calibration{"bank-a": all}, Threshold: 0.4}, liveproof.Session{Tenant: "bank-a"}, "calibration.tenants.bank-a"},
		{Rules{Requests: map[string]Calibration{"high": all}, Threshold: 0.4}, liveproof.Session{Calibration: "high"}, "calibration.requests.high"},
	} {
		got, err := c.rules.For(c.session, theirs)
		require.ErrorIs(t, err, ErrOtherModel)
		require.Zero(t, got)
		require.NoError(t, c.rules.Fit(ours))
		err = c.rules.Fit(theirs)
		require.ErrorIs(t, err, ErrOtherModel)
		require.ErrorContains(t, err, c.key)
		require.ErrorContains(t, err, "was made for ours (sha256 abababababab…), and the model here is theirs (sha256 cdcdcdcdcdcd…)")
		require.ErrorContains(t, err, "calibrate again with this model", "the mend")
	}
}

func TestUnknownCalibration(t *testing.T) {
	r := Rules{Requests: map[string]Calibration{"b": named("b", 0.3), "a": named("a", 0.3)}, Threshold: 0.4}
	got, err := r.For(liveproof.Session{Calibration: "c"}, ours)
	require.ErrorIs(t, err, ErrUnknown)
	require.EqualError(t, err, `unknown calibration "c": calibration.requests has a, b`)
	require.Zero(t, got)
	_, err = Rules{}.For(liveproof.Session{Calibration: "c"}, ours)
	require.EqualError(t, err, `unknown calibration "c": calibration.requests is empty`)
}

func TestLoadReadsEveryFile(t *testing.T) {
	a, b, c := valid(), valid(), valid()
	a.Name, b.Name, c.Name = "a", "b", "c"
	cfg := Config{Default: write(t, a), Tenants: map[string]string{"bank-a": write(t, b)}, Requests: map[string]string{"high_value": write(t, c)}}
	require.NoError(t, cfg.Validate())
	r, err := Load(cfg, 0)
	require.NoError(t, err)
	var keys []string
	for key, made := range r.All {
		keys = append(keys, key+"="+made.Name)
	}
	require.Equal(t, []string{"calibration.default=a", "calibration.tenants.bank-a=b", "calibration.requests.high_value=c"}, keys)
	require.Equal(t, []string{"high_value"}, r.Names())

	_, err = Load(cfg, 0.5)
	require.ErrorContains(t, err, "calibration.default: verdict.threshold is set too")
	cfg.Default = ""
	r, err = Load(cfg, 0.5)
	require.NoError(t, err, "tenants and requests go with a number for the others")
	require.InDelta(t, 0.5, r.Threshold, 0)
}

func TestEveryFaultOfTheConfigurationAtOnce(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.json")
	bad, err := valid().Encode()
	require.NoError(t, err)
	bad = []byte(strings.NewReplacer(`"bank-2026"`, `""`, "0.62", "7").Replace(string(bad)))
	require.NoError(t, os.WriteFile(broken, bad, 0o600))
	cfg := Config{
		Default:  filepath.Join(t.TempDir(), "missing.json"),
		Tenants:  map[string]string{"bank-a": broken, "bank-b": ""},
		Requests: map[string]string{"High Value": broken},
	}
	err = cfg.Validate()
	for _, want := range []string{
		"default: open ", "missing.json", "tenants.bank-a: " + broken + ": name: ", "tenants.bank-a: " + broken + ": threshold: 7",
		"tenants.bank-b: ", `requests: the name "High Value"`, "requests.High Value: ",
	} {
		require.ErrorContains(t, err, want)
	}
	many := Config{Requests: map[string]string{}}
	for i := range maxFiles + 1 {
		many.Requests[fmt.Sprint(i)] = broken
	}
	require.ErrorContains(t, many.Validate(), "requests: 1001 is out of range [0, 1000]")
	_, err = Load(cfg, 0)
	require.ErrorContains(t, err, "calibration.default: open ")
}
