package helm

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// choices are the values that change what is rendered; the tests try every combination.
var choices = [][]string{
	{"media: {network: hostPorts}", "media: {network: hostNetwork}", "media: {network: stunner}"},
	{"autoscaling: {enabled: false}", "autoscaling: {kind: keda}", "autoscaling: {kind: hpa}"},
	{"scorer: {backend: local}", "scorer: {backend: kserve}", "scorer: {backend: kserve, gpus: 0}", "scorer: {backend: kserve, target: 'dns:///scorer.models.svc:9000'}"},
	{"serviceMonitor: {enabled: true}", "serviceMonitor: {enabled: false}"},
	{"networkPolicy: {enabled: true}", "networkPolicy: {enabled: false}"},
	{"ingress: {enabled: false}", "ingress: {enabled: true, className: nginx}"},
	{"deletionCost: {enabled: true}", "deletionCost: {enabled: false}"},
	{"models: {claim: ''}", "models: {claim: models}"},
}

// combinations are all values made of one of each choice.
func combinations() (all []string) {
	all = []string{""}
	for _, choice := range choices {
		var longer []string
		for _, begin := range all {
			for _, c := range choice {
				longer = append(longer, begin+c+"\n")
			}
		}
		all = longer
	}
	return all
}

// TestLint is `helm lint --strict` with each choice.
func TestLint(t *testing.T) {
	for _, choice := range choices {
		for _, values := range choice {
			t.Run(values, func(t *testing.T) {
				result := lint.All(chartDir, parse(t, values), namespace, true)
				for _, m := range result.Messages {
					if !strings.Contains(m.Error(), "icon is recommended") {
						require.Less(t, m.Severity, support.WarningSev, m.Error())
					}
				}
			})
		}
	}
}

// TestEveryCombination renders each and decodes every document strictly; then what must hold for each is checked.
func TestEveryCombination(t *testing.T) {
	all := combinations()
	require.Len(t, all, 3*3*4*2*2*2*2*2)
	for _, values := range all {
		rendered := decoded(t, values)
		for _, check := range []func(objects) error{podsAreConfined, selectorsFindPods, portsAreNamed, scalersNameTheirTarget, tokensAreWhereTheyAreUsed} {
			require.NoError(t, check(rendered), values)
		}
	}
}

// templates are the pods of the release, by the name of their owner.
func (all objects) templates() map[string]core.PodTemplateSpec {
	pods := map[string]core.PodTemplateSpec{}
	for _, o := range all {
		switch o := o.(type) {
		case *apps.Deployment:
			pods[o.Name] = o.Spec.Template
		case *apps.StatefulSet:
			pods[o.Name] = o.Spec.Template
		}
	}
	return pods
}

// containers are all of a pod, those that start before the others too.
func containers(pod core.PodTemplateSpec) []core.Container {
	return append(append([]core.Container{}, pod.Spec.InitContainers...), pod.Spec.Containers...)
}

// podsAreConfined: the "restricted" Pod Security Standard (but for host ports), a read-only root and a limit of memory.
func podsAreConfined(all objects) error {
	for name, pod := range all.templates() {
		s := pod.Spec.SecurityContext
		if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 || s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
			return fmt.Errorf("%s: the pod may run as root or without seccomp", name)
		}
		if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken || pod.Spec.EnableServiceLinks == nil || *pod.Spec.EnableServiceLinks {
			return fmt.Errorf("%s: the pod gets a token or the variables of services", name)
		}
		for _, c := range containers(pod) {
			s := c.SecurityContext
			if s == nil || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || s.Capabilities == nil || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || len(s.Capabilities.Add) > 0 {
				return fmt.Errorf("%s/%s is not confined", name, c.Name)
			}
			if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
				return fmt.Errorf("%s/%s has no request of CPU or no limit of memory", name, c.Name)
			}
		}
	}
	return nil
}

const podName = "statefulset.kubernetes.io/pod-name"

// selectorsFindPods: what selects pods finds those that it means, and no selector of an owner finds another's.
func selectorsFindPods(all objects) error {
	finds := func(of string, selector map[string]string) error {
		var found []string
		for name, pod := range all.templates() {
			own := labels.Set(maps.Clone(pod.Labels))
			if one := selector[podName]; strings.HasPrefix(one, name+"-") {
				own[podName] = one // as the controller of StatefulSets labels its pods
			}
			if labels.SelectorFromSet(selector).Matches(own) {
				found = append(found, name)
			}
		}
		if len(found) != 1 {
			return fmt.Errorf("%s finds the pods of %v", of, found)
		}
		return nil
	}
	for key, o := range all {
		var selector map[string]string
		switch o := o.(type) {
		case *core.Service:
			selector = o.Spec.Selector
		case *apps.Deployment:
			selector = o.Spec.Selector.MatchLabels
		case *apps.StatefulSet:
			selector = o.Spec.Selector.MatchLabels
		case *policy.PodDisruptionBudget:
			selector = o.Spec.Selector.MatchLabels
		case *networking.NetworkPolicy:
			selector = o.Spec.PodSelector.MatchLabels
		case *monitoring.ServiceMonitor:
			if err := monitorFinds(all, o); err != nil {
				return err
			}
			continue
		default:
			continue
		}
		if err := finds(key, selector); err != nil {
			return err
		}
	}
	return nil
}

// monitorFinds: a monitor selects services, each with the port that it asks.
func monitorFinds(all objects, monitor *monitoring.ServiceMonitor) error {
	found := 0
	for _, o := range all {
		service, ok := o.(*core.Service)
		if !ok || !labels.SelectorFromSet(monitor.Spec.Selector.MatchLabels).Matches(labels.Set(service.Labels)) {
			continue
		}
		found++
		for _, endpoint := range monitor.Spec.Endpoints {
			if !hasPort(service, endpoint.Port) {
				return fmt.Errorf("service %s has no port %s", service.Name, endpoint.Port)
			}
		}
	}
	if found != 1 {
		return fmt.Errorf("monitor %s finds %d services", monitor.Name, found)
	}
	return nil
}

func hasPort(service *core.Service, name string) bool {
	for _, p := range service.Spec.Ports {
		if p.Name == name {
			return true
		}
	}
	return false
}

// portsAreNamed: every port that a service or a policy names is one of a container; probes too.
func portsAreNamed(all objects) error {
	known := map[string]bool{}
	for _, pod := range all.templates() {
		for _, c := range pod.Spec.Containers {
			for _, p := range c.Ports {
				known[p.Name] = true
			}
			for _, probe := range []*core.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
				if probe == nil || !known[probe.HTTPGet.Port.StrVal] {
					return fmt.Errorf("a probe of %s asks a port that it does not have", c.Name)
				}
			}
		}
	}
	for key, o := range all {
		switch o := o.(type) {
		case *core.Service:
			for _, p := range o.Spec.Ports {
				if !known[p.TargetPort.StrVal] {
					return fmt.Errorf("%s: no container has the port %s", key, p.TargetPort.StrVal)
				}
			}
		case *networking.NetworkPolicy:
			for _, rule := range o.Spec.Ingress {
				for _, p := range rule.Ports {
					if !known[p.Port.StrVal] {
						return fmt.Errorf("%s: no container has the port %s", key, p.Port.StrVal)
					}
				}
			}
		}
	}
	return nil
}

// scalersNameTheirTarget: what scales names the object that there is, and that object leaves the number of pods to it.
func scalersNameTheirTarget(all objects) error {
	for _, o := range all {
		var kind, name string
		switch o := o.(type) {
		case *keda.ScaledObject:
			kind, name = o.Spec.ScaleTargetRef.Kind, o.Spec.ScaleTargetRef.Name
		case *autoscaling.HorizontalPodAutoscaler:
			kind, name = o.Spec.ScaleTargetRef.Kind, o.Spec.ScaleTargetRef.Name
		default:
			continue
		}
		switch target := all[kind+"/"+name].(type) {
		case *apps.Deployment:
			if target.Spec.Replicas != nil {
				return fmt.Errorf("%s sets its number of pods itself", name)
			}
		case *apps.StatefulSet:
			if target.Spec.Replicas != nil {
				return fmt.Errorf("%s sets its number of pods itself", name)
			}
		default:
			return fmt.Errorf("nothing is %s %s", kind, name)
		}
	}
	return nil
}

// tokensAreWhereTheyAreUsed: no container but deletion-cost sees a token of Kubernetes.
func tokensAreWhereTheyAreUsed(all objects) error {
	for name, pod := range all.templates() {
		tokens := map[string]bool{}
		for _, v := range pod.Spec.Volumes {
			tokens[v.Name] = v.Projected != nil
		}
		for _, c := range containers(pod) {
			for _, m := range c.VolumeMounts {
				if tokens[m.Name] != (c.Name == "deletion-cost") {
					return fmt.Errorf("%s/%s mounts %s", name, c.Name, m.Name)
				}
			}
		}
	}
	return nil
}
