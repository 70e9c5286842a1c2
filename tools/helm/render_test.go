// Package helm tests the chart in deploy/helm with Helm's own code and the types of Kubernetes, KEDA and the Prometheus operator.
package helm

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path"
	"strings"
	"testing"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

const chartDir = "../../deploy/helm/liveproof"

// The release of all tests. With the chart's name it is the one whose services would give pods variables that begin with LIVEPROOF_.
const (
	release   = "liveproof"
	namespace = "live"
)

// udpRoute is STUNner's route, written by hand without its sources: its Go module is not served by the module proxy.
type udpRoute struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            struct {
		ParentRefs []struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"parentRefs"`
		Rules []struct {
			BackendRefs []struct {
				Name      string `json:"name"`
				Namespace string `json:"namespace"`
				Port      int32  `json:"port"`
				EndPort   int32  `json:"endPort"`
			} `json:"backendRefs"`
		} `json:"rules"`
	} `json:"spec"`
}

// types are the kinds that the chart may render.
var types = map[string]func() meta.Object{
	"v1/ConfigMap":                             func() meta.Object { return &core.ConfigMap{} },
	"v1/Service":                               func() meta.Object { return &core.Service{} },
	"v1/ServiceAccount":                        func() meta.Object { return &core.ServiceAccount{} },
	"apps/v1/Deployment":                       func() meta.Object { return &apps.Deployment{} },
	"apps/v1/StatefulSet":                      func() meta.Object { return &apps.StatefulSet{} },
	"policy/v1/PodDisruptionBudget":            func() meta.Object { return &policy.PodDisruptionBudget{} },
	"networking.k8s.io/v1/NetworkPolicy":       func() meta.Object { return &networking.NetworkPolicy{} },
	"networking.k8s.io/v1/Ingress":             func() meta.Object { return &networking.Ingress{} },
	"rbac.authorization.k8s.io/v1/Role":        func() meta.Object { return &rbac.Role{} },
	"rbac.authorization.k8s.io/v1/RoleBinding": func() meta.Object { return &rbac.RoleBinding{} },
	"autoscaling/v2/HorizontalPodAutoscaler":   func() meta.Object { return &autoscaling.HorizontalPodAutoscaler{} },
	"keda.sh/v1alpha1/ScaledObject":            func() meta.Object { return &keda.ScaledObject{} },
	"monitoring.coreos.com/v1/ServiceMonitor":  func() meta.Object { return &monitoring.ServiceMonitor{} },
	"stunner.l7mp.io/v1/UDPRoute":              func() meta.Object { return &udpRoute{} },
}

// objects are what the chart renders, by "Kind/name".
type objects map[string]meta.Object

// get is the object of a kind and name, which must be there.
func get[T meta.Object](t *testing.T, all objects, name string) T {
	t.Helper()
	for _, o := range all {
		if typed, ok := o.(T); ok && o.GetName() == name {
			return typed
		}
	}
	require.Failf(t, "not rendered", "%T %s", *new(T), name)
	panic("unreachable")
}

// parse reads values as a user writes them.
func parse(t testing.TB, values string) map[string]any {
	t.Helper()
	parsed, err := chartutil.ReadValues([]byte(values))
	require.NoError(t, err)
	return parsed
}

func load(t testing.TB) *chart.Chart {
	t.Helper()
	c, err := loader.Load(chartDir)
	require.NoError(t, err)
	return c
}

// render is what `helm template` does: values are merged, checked against the schema and put into the templates.
func render(t testing.TB, values string) (map[string]string, error) {
	t.Helper()
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: "v1.30.0", Major: "1", Minor: "30"}
	c := load(t)
	merged, err := chartutil.ToRenderValues(c, parse(t, values), chartutil.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}, capabilities)
	if err != nil {
		return nil, err
	}
	e := engine.Engine{Strict: true}
	return e.Render(c, merged)
}

// decoded renders values and decodes every document into its Go type; a field that the type does not have fails.
func decoded(t testing.TB, values string) objects {
	t.Helper()
	files, err := render(t, values)
	require.NoError(t, err)
	all := objects{}
	for name, text := range files {
		if strings.HasPrefix(path.Base(name), "_") || path.Ext(name) == ".txt" {
			continue
		}
		for _, document := range documents(t, text) {
			o := decode(t, name, document)
			key := o.(interface{ GetObjectKind() schema.ObjectKind }).GetObjectKind().GroupVersionKind().Kind + "/" + o.GetName()
			require.NotContains(t, all, key, "rendered twice")
			all[key] = o
		}
	}
	return all
}

func documents(t testing.TB, text string) (all [][]byte) {
	t.Helper()
	reader := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		var content map[string]any
		require.NoError(t, strict.Unmarshal(document, &content))
		if len(content) > 0 {
			all = append(all, document)
		}
	}
}

func decode(t testing.TB, file string, document []byte) meta.Object {
	t.Helper()
	var kind meta.TypeMeta
	require.NoError(t, strict.Unmarshal(document, &kind))
	make, known := types[kind.APIVersion+"/"+kind.Kind]
	require.True(t, known, "%s: unknown kind %s/%s", file, kind.APIVersion, kind.Kind)
	o := make()
	require.NoError(t, strict.UnmarshalStrict(document, o), "%s:\n%s", file, document)
	return o
}

// TestMain says where the chart is when it is not there.
func TestMain(m *testing.M) {
	if _, err := os.Stat(chartDir); err != nil {
		panic("run the tests in tools/helm of the checkout: " + err.Error())
	}
	os.Exit(m.Run())
}
