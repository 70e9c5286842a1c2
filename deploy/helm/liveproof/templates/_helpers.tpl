{{- define "liveproof.selector" -}}
app.kubernetes.io/name: liveproof
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "liveproof.labels" -}}
{{ include "liveproof.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "liveproof.image" -}}
{{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}

{{/* What every container may: nothing beyond its own files. */}}
{{- define "liveproof.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "liveproof.stateful" -}}
{{ if eq .Values.media.network "stunner" }}yes{{ end }}
{{- end }}

{{- define "liveproof.deletionCost" -}}
{{ if and .Values.deletionCost.enabled (not (include "liveproof.stateful" .)) }}yes{{ end }}
{{- end }}

{{- define "liveproof.deploysScorer" -}}
{{ if and (eq .Values.scorer.backend "kserve") (not .Values.scorer.target) }}yes{{ end }}
{{- end }}

{{/* The port in the addresses that clients are told. */}}
{{- define "liveproof.publicPort" -}}
{{ .Values.media.ports.public | default (ternary 443 .Values.media.ports.https (eq .Values.media.network "stunner")) }}
{{- end }}

{{/* How many pods there may be: with stunner each has a service and a rule of the Ingress. */}}
{{- define "liveproof.mostPods" -}}
{{ ternary .Values.autoscaling.maxReplicas .Values.media.replicas .Values.autoscaling.enabled }}
{{- end }}

{{/* The configuration. What the chart sets wins over .Values.config; lists of both are joined. */}}
{{- define "liveproof.config" -}}
{{- $ports := .Values.media.ports }}
{{- $given := dig "ingest" "hosts" (list) .Values.config }}
{{- $hosts := concat (list .Values.api.host (printf "%s-api" .Release.Name) (printf "%s-api.%s" .Release.Name .Release.Namespace) (printf "%s-api.%s.svc" .Release.Name .Release.Namespace)) $given | uniq }}
{{- $issuer := dig "results" "issuer" (printf "https://%s" .Values.api.host) .Values.config }}
{{- $own := dict
  "ingest" (dict "listen" (printf ":%v" $ports.https) "tls_cert" "/etc/liveproof/tls/tls.crt" "tls_key" "/etc/liveproof/tls/tls.key" "hosts" $hosts)
  "ops" (dict "listen" (printf ":%v" $ports.metrics))
  "webrtc" (dict "udp_port" $ports.webrtc "tcp_port" $ports.webrtc)
  "session" (dict "drain_timeout" (printf "%ds" (int .Values.media.drainSeconds)))
  "results" (dict "issuer" $issuer)
-}}
{{- if eq .Values.scorer.backend "kserve" }}
{{- $target := .Values.scorer.target | default (printf "dns:///%s-scorer.%s.svc:8001" .Release.Name .Release.Namespace) }}
{{- $_ := set $own "scorer" (dict "backend" "kserve" "kserve" (dict "target" $target)) }}
{{- end }}
{{- toYaml (mergeOverwrite (deepCopy .Values.config) $own) }}
{{- end }}
