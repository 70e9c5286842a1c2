package helm

import (
	"testing"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
)

func server(t *testing.T, pod core.PodTemplateSpec) core.Container {
	t.Helper()
	require.Len(t, pod.Spec.Containers, 1)
	return pod.Spec.Containers[0]
}

func variable(t *testing.T, c core.Container, name string) core.EnvVar {
	t.Helper()
	for _, e := range c.Env {
		if e.Name == name {
			return e
		}
	}
	require.Failf(t, "not set", name)
	return core.EnvVar{}
}

// TestAddressesOfEachPod: clients reach each pod by a name and ports of its own.
func TestAddressesOfEachPod(t *testing.T) {
	for name, c := range map[string]struct {
		values, url string
		hostPorts   map[string]int32
	}{
		"host ports":          {"", "https://$(NODE_NAME).media.example.org:8443", map[string]int32{"https": 8443, "webrtc": 8444, "webrtc-tcp": 8444, "metrics": 0}},
		"host ports, public":  {"media: {ports: {public: 443}}", "https://$(NODE_NAME).media.example.org", map[string]int32{"https": 443, "webrtc": 8444, "webrtc-tcp": 8444, "metrics": 0}},
		"the host's network":  {"media: {network: hostNetwork}", "https://$(NODE_NAME).media.example.org:8443", map[string]int32{"https": 8443, "webrtc": 8444, "webrtc-tcp": 8444, "metrics": 9464}},
		"behind STUNner":      {"media: {network: stunner}", "https://$(POD_NAME).media.example.org", map[string]int32{"https": 0, "webrtc": 0, "webrtc-tcp": 0, "metrics": 0}},
		"STUNner, other port": {"media: {network: stunner, ports: {public: 8443}}", "https://$(POD_NAME).media.example.org:8443", map[string]int32{"https": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := server(t, decoded(t, c.values).templates()["liveproof-media"])
			require.Equal(t, c.url, variable(t, s, "LIVEPROOF_INGEST_PUBLIC_URL").Value)
			for _, p := range s.Ports {
				if want, asked := c.hostPorts[p.Name]; asked {
					require.Equal(t, want, p.HostPort, p.Name)
				}
			}
			before := map[string]int{}
			for i, e := range s.Env {
				before[e.Name] = i
			}
			for _, used := range []string{"NODE_NAME", "POD_NAME", "HOST_IP"} {
				require.Less(t, before[used], before["LIVEPROOF_INGEST_PUBLIC_URL"], "Kubernetes replaces only variables that are defined before")
			}
		})
	}
}

// TestEachPodHasARouteBehindSTUNner: one service and one rule for each pod that there may be.
func TestEachPodHasARouteBehindSTUNner(t *testing.T) {
	all := decoded(t, "media: {network: stunner, replicas: 3}\nautoscaling: {maxReplicas: 5}\ningress: {enabled: true}")
	ingress := get[*networking.Ingress](t, all, "liveproof")
	require.Len(t, ingress.Spec.Rules, 1+5)
	for _, rule := range ingress.Spec.Rules {
		backend := rule.HTTP.Paths[0].Backend.Service
		require.True(t, hasPort(get[*core.Service](t, all, backend.Name), backend.Port.Name), rule.Host)
	}
	require.Equal(t, "liveproof-media-4.media.example.org", ingress.Spec.Rules[5].Host)
	route := get[*udpRoute](t, all, "liveproof-media").Spec.Rules[0].BackendRefs[0]
	media := get[*core.Service](t, all, route.Name)
	require.True(t, media.Spec.PublishNotReadyAddresses, "a draining pod still gets its sessions' media")
	require.Equal(t, int32(8444), route.Port)
	fixed := decoded(t, "media: {network: stunner, replicas: 3}\nautoscaling: {enabled: false}\ningress: {enabled: true}")
	require.Len(t, get[*networking.Ingress](t, fixed, "liveproof").Spec.Rules, 1+3)
}

// TestDrain: the pod lives long enough for the load balancers to learn of its end, the running sessions and the records of their ends.
func TestDrain(t *testing.T) {
	for values, want := range map[string]int64{"": 5 + 60 + 30, "media: {drainSeconds: 600, stopDelaySeconds: 20}": 20 + 600 + 30} {
		all := decoded(t, values)
		pod := all.templates()["liveproof-media"]
		require.Equal(t, want, *pod.Spec.TerminationGracePeriodSeconds)
		require.Equal(t, want, server(t, pod).Lifecycle.PreStop.Sleep.Seconds+sessionDrain(t, all)+30)
		require.Equal(t, int32(1), get[*policy.PodDisruptionBudget](t, all, "liveproof-media").Spec.MaxUnavailable.IntVal)
	}
	deployment := get[*apps.Deployment](t, decoded(t, ""), "liveproof-media")
	require.Equal(t, int32(0), deployment.Spec.Strategy.RollingUpdate.MaxSurge.IntVal, "a new pod has no free node")
}

// TestScaling: by running sessions, slower down than up, and no pod is taken while another may still drain.
func TestScaling(t *testing.T) {
	scaled := get[*keda.ScaledObject](t, decoded(t, "media: {drainSeconds: 600}"), "liveproof-media")
	trigger := scaled.Spec.Triggers[0]
	require.Equal(t, `sum(liveproof_sessions_active{namespace="live",pod=~"liveproof-media-.+"})`, trigger.Metadata["query"])
	require.Equal(t, "30", trigger.Metadata["threshold"])
	down := scaled.Spec.Advanced.HorizontalPodAutoscalerConfig.Behavior.ScaleDown
	require.Equal(t, int32(1), down.Policies[0].Value)
	require.Equal(t, int32(600), down.Policies[0].PeriodSeconds)
}

// TestDeletionCost: a Deployment's pods write it, with a role that may do no more than that; a StatefulSet's cannot use it.
func TestDeletionCost(t *testing.T) {
	all := decoded(t, "")
	pod := all.templates()["liveproof-media"]
	require.Equal(t, "liveproof-media", pod.Spec.ServiceAccountName)
	require.Equal(t, core.ContainerRestartPolicyAlways, *pod.Spec.InitContainers[0].RestartPolicy, "it stops after the server")
	require.Equal(t, []rbac.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"patch"}}}, get[*rbac.Role](t, all, "liveproof-deletion-cost").Rules)
	binding := get[*rbac.RoleBinding](t, all, "liveproof-deletion-cost")
	require.Equal(t, "liveproof-media", binding.Subjects[0].Name)
	require.Equal(t, namespace, binding.Subjects[0].Namespace)
	for _, values := range []string{"deletionCost: {enabled: false}", "media: {network: stunner}"} {
		all := decoded(t, values)
		require.Empty(t, all.templates()["liveproof-media"].Spec.InitContainers)
		require.NotContains(t, all, "Role/liveproof-deletion-cost")
	}
}

// TestScorer: Triton by itself, with a GPU or without, or servers that run already.
func TestScorer(t *testing.T) {
	all := decoded(t, "scorer: {backend: kserve}")
	require.Equal(t, "dns:///liveproof-scorer.live.svc:8001", configured(t, all)["scorer"].(map[string]any)["kserve"].(map[string]any)["target"])
	require.Equal(t, core.ClusterIPNone, get[*core.Service](t, all, "liveproof-scorer").Spec.ClusterIP, "its name has an address for each server")
	limits := server(t, all.templates()["liveproof-scorer"]).Resources.Limits
	gpus := limits["nvidia.com/gpu"]
	require.Equal(t, int64(1), gpus.Value())
	require.NotContains(t, server(t, decoded(t, "scorer: {backend: kserve, gpus: 0}").templates()["liveproof-scorer"]).Resources.Limits, core.ResourceName("nvidia.com/gpu"))

	elsewhere := decoded(t, "scorer: {backend: kserve, target: 'dns:///scorer.models.svc:9000'}")
	require.NotContains(t, elsewhere, "Deployment/liveproof-scorer")
	egress := get[*networking.NetworkPolicy](t, elsewhere, "liveproof-media").Spec.Egress
	require.Equal(t, int32(9000), egress[len(egress)-1].Ports[0].Port.IntVal)
}
