{{/* The container that writes the pod's deletion cost. It stops after the server, and alone has the service account's token. */}}
{{- define "liveproof.costContainer" -}}
{{- $host := ternary "$(HOST_IP)" "127.0.0.1" (eq .Values.media.network "hostNetwork") }}
- name: deletion-cost
  image: {{ include "liveproof.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  restartPolicy: Always
  args: [deletion-cost, --metrics, "http://{{ $host }}:{{ .Values.media.ports.metrics }}/metrics", --every, {{ .Values.deletionCost.every }}]
  env:
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
    - {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
  resources: {{- toYaml .Values.deletionCost.resources | nindent 4 }}
  securityContext: {{- include "liveproof.confined" . | nindent 4 }}
  volumeMounts:
    - {name: kubernetes, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}

{{- define "liveproof.costToken" -}}
- name: kubernetes
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
