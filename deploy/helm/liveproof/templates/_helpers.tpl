{{- define "liveproof.labels" -}}
app.kubernetes.io/name: liveproof
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "liveproof.selector" -}}
app.kubernetes.io/name: liveproof
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The configuration: the chart's own keys win over those of .Values.config. */}}
{{- define "liveproof.config" -}}
{{- $own := dict
  "ingest" (dict "listen" (printf ":%v" .Values.media.ports.https) "tls_cert" "/etc/liveproof/tls/tls.crt" "tls_key" "/etc/liveproof/tls/tls.key"
    "hosts" (list .Values.api.host))
  "ops" (dict "listen" (printf ":%v" .Values.media.ports.metrics))
  "webrtc" (dict "udp_port" .Values.media.ports.webrtc "tcp_port" (ternary -1 .Values.media.ports.webrtc (eq (int .Values.media.ports.webrtc) (int .Values.media.ports.https))))
  "session" (dict "drain_timeout" (printf "%ds" (int .Values.media.drainSeconds)))
-}}
{{- if eq .Values.scorer.backend "kserve" }}
{{- $_ := set $own "scorer" (dict "backend" "kserve" "kserve" (dict "target" (printf "dns:///%s-scorer.%s.svc:8001" .Release.Name .Release.Namespace))) }}
{{- end }}
{{- toYaml (mergeOverwrite (deepCopy .Values.config) $own) }}
{{- end }}
