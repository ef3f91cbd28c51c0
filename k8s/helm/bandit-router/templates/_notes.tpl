{{/* SPDX-License-Identifier: Apache-2.0
NOTES.txt, where a test can get at it. */}}
{{- define "bandit-router.notes" -}}
{{- $name := include "bandit-router.fullname" . }}
{{- if eq .Values.mode "central" }}
bandit-router {{ .Chart.AppVersion }}: send requests, and rewards, to
{{ $name }}.{{ .Release.Namespace }}.svc:{{ .Values.ports.listen }} (gRPC{{ if .Values.tls.listen.secretName }} over TLS{{ end }}).

What it does:
  kubectl -n {{ .Release.Namespace }} exec {{ lower .Values.kind }}/{{ $name }} -- banditctl status{{ if .Values.tls.control.secretName }} --tls-ca /etc/bandit-tls/control/ca.crt --tls-name {{ $name }}{{ end }}
  helm test {{ .Release.Name }} -n {{ .Release.Namespace }}
Its dashboard, at http://127.0.0.1:{{ .Values.ports.admin }}/ while this runs:
  kubectl -n {{ .Release.Namespace }} port-forward {{ lower .Values.kind }}/{{ $name }} {{ .Values.ports.admin }}
{{- if gt (int .Values.replicas) 1 }}

{{ .Values.replicas }} replicas learn each by itself, from the rewards that reach the one that
decided. See "Replicas" in docs/kubernetes.md.
{{- end }}
{{- if ne (include "bandit-router.stateKind" .) "persistent" }}

The state is not persistent: what was learned is lost with the pod.
{{- end }}
{{- else }}
The config for sidecars is in the ConfigMap {{ $name }}. A pod template takes
the router in by the templates of this chart:
  initContainers: bandit-router.sidecar
  volumes:        bandit-router.sidecarVolumes
  labels:         bandit-router.sidecarLabels
  annotations:    bandit-router.sidecarAnnotations
Its containers then send requests to 127.0.0.1:{{ .Values.ports.listen }}.
{{- end }}
{{- if and (not .Values.controlToken.existingSecret) (include "bandit-router.exposesControl" .) }}

WARNING: the control port asks for no token: whoever reaches it may pause or
promote experiments. Set controlToken.existingSecret.
{{- end }}
{{- end }}
