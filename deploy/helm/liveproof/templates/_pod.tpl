{{/* A media pod, in a Deployment or a StatefulSet. */}}
{{- define "liveproof.pod" -}}
{{- $media := .Values.media }}
{{- $stunner := eq $media.network "stunner" }}
metadata:
  labels: {{- include "liveproof.labels" . | nindent 4 }}
    app.kubernetes.io/component: media
  annotations:
    checksum/config: {{ include "liveproof.config" . | sha256sum }}
    {{- with $media.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- if eq $media.network "hostNetwork" }}
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  {{- if include "liveproof.deletionCost" . }}
  serviceAccountName: {{ .Release.Name }}-media
  {{- end }}
  automountServiceAccountToken: false
  # The variables that Kubernetes would set for services begin with LIVEPROOF_ too, and the server refuses those that it does not know.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add $media.stopDelaySeconds $media.drainSeconds 30 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $media.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: {type: RuntimeDefault}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "liveproof.selector" . | nindent 10 }}
          app.kubernetes.io/component: media
  {{- if include "liveproof.deletionCost" . }}
  initContainers:
    {{- include "liveproof.costContainer" . | nindent 4 }}
  {{- end }}
  containers:
    - name: liveproof
      image: {{ include "liveproof.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve, --config, /etc/liveproof/liveproof.yaml]
      env:
        {{- include "liveproof.environment" . | nindent 8 }}
      ports:
        - {name: https, containerPort: {{ $media.ports.https }}, protocol: TCP{{ if not $stunner }}, hostPort: {{ ternary $media.ports.https (include "liveproof.publicPort" . | int) (eq $media.network "hostNetwork") }}{{ end }}}
        - {name: webrtc, containerPort: {{ $media.ports.webrtc }}, protocol: UDP{{ if not $stunner }}, hostPort: {{ $media.ports.webrtc }}{{ end }}}
        - {name: webrtc-tcp, containerPort: {{ $media.ports.webrtc }}, protocol: TCP{{ if not $stunner }}, hostPort: {{ $media.ports.webrtc }}{{ end }}}
        - {name: metrics, containerPort: {{ $media.ports.metrics }}, protocol: TCP{{ if eq $media.network "hostNetwork" }}, hostPort: {{ $media.ports.metrics }}{{ end }}}
      # The model is loaded, and with inference servers compared with theirs.
      startupProbe:
        httpGet: {path: /healthz, port: https, scheme: HTTPS}
        periodSeconds: 2
        failureThreshold: 60
      readinessProbe:
        httpGet: {path: /readyz, port: https, scheme: HTTPS}
        periodSeconds: 5
        timeoutSeconds: 4
      livenessProbe:
        httpGet: {path: /healthz, port: https, scheme: HTTPS}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      # The drain is the server's own answer to SIGTERM. Before it, load balancers stop to send new sessions here.
      lifecycle:
        preStop:
          sleep: {seconds: {{ $media.stopDelaySeconds }}}
      resources: {{- toYaml $media.resources | nindent 8 }}
      securityContext: {{- include "liveproof.confined" . | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/liveproof/liveproof.yaml, subPath: liveproof.yaml, readOnly: true}
        - {name: tls, mountPath: /etc/liveproof/tls, readOnly: true}
        - {name: tmp, mountPath: /tmp}
        {{- if .Values.models.claim }}
        - {name: models, mountPath: /models, readOnly: true}
        {{- end }}
  volumes:
    - {name: config, configMap: {name: {{ .Release.Name }}-config}}
    - {name: tls, secret: {secretName: {{ .Values.tls.secret }}}}
    - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
    {{- if .Values.models.claim }}
    - {name: models, persistentVolumeClaim: {claimName: {{ .Values.models.claim }}, readOnly: true}}
    {{- end }}
    {{- if include "liveproof.deletionCost" . }}
    {{- include "liveproof.costToken" . | nindent 4 }}
    {{- end }}
  {{- with $media.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $media.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "liveproof.environment" -}}
{{- $media := .Values.media }}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
- {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
{{- $port := include "liveproof.publicPort" . }}
- name: LIVEPROOF_INGEST_PUBLIC_URL
  value: {{ printf "https://$(%s).%s%s" (ternary "POD_NAME" "NODE_NAME" (eq $media.network "stunner")) $media.domain (ternary "" (printf ":%s" $port) (eq $port "443")) | quote }}
{{- if ne $media.network "stunner" }}
- {name: LIVEPROOF_WEBRTC_PUBLIC_IPS, value: {{ default "$(HOST_IP)" $media.publicIP | quote }}}
{{- end }}
{{- if eq $media.network "hostNetwork" }}
- {name: LIVEPROOF_OPS_LISTEN, value: "$(HOST_IP):{{ $media.ports.metrics }}"}
{{- end }}
{{- if .Values.models.claim }}
- {name: LIVEPROOF_MODELS, value: "/models:/usr/share/liveproof/models"}
{{- end }}
{{- range list
  (dict "name" "LIVEPROOF_INGEST_API_KEYS" "key" "api-keys" "optional" false)
  (dict "name" "LIVEPROOF_INGEST_TOKEN_SECRET" "key" "token-secret" "optional" false)
  (dict "name" "LIVEPROOF_STORE_REDIS" "key" "redis" "optional" false)
  (dict "name" "LIVEPROOF_RESULTS_KEYS" "key" "results-key" "optional" true)
  (dict "name" "LIVEPROOF_WEBRTC_TURN_SECRET" "key" "turn-secret" "optional" (not (dig "webrtc" "turn_urls" (list) .Values.config)))
  (dict "name" "LIVEPROOF_WEBHOOKS_SECRETS" "key" "webhook-secrets" "optional" (not (dig "webhooks" "urls" (dict) .Values.config)))
}}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ $.Values.secret }}, key: {{ .key }}{{ if .optional }}, optional: true{{ end }}}}
{{- end }}
{{- end }}
