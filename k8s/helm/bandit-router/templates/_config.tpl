{{/* SPDX-License-Identifier: Apache-2.0
The config file: what the chart writes, then what the user did. */}}

{{/* All that needs a restart when it changes; a hash of it is on the pods. */}}
{{- define "bandit-router.fixedConfig" -}}
{{- $all := "0.0.0.0" -}}
listen: {{ ternary $all "127.0.0.1" (eq "true" (include "bandit-router.exposesListen" .)) }}:{{ .Values.ports.listen }}
control: {{ ternary $all "127.0.0.1" (eq "true" (include "bandit-router.exposesControl" .)) }}:{{ .Values.ports.control }}
admin: {{ $all }}:{{ .Values.ports.admin }}
workers: {{ .Values.workers }}
{{- if eq (include "bandit-router.stateKind" .) "memory" }}
state: "memory:"
{{- else }}
state: sqlite:///var/lib/bandit-router/state.db
{{- end }}
grace: {{ .Values.drain.graceSeconds }}s
{{- if .Values.tokenKey.existingSecret }}
token_key: ${BANDIT_TOKEN_KEY}
{{- end }}
{{- if .Values.controlToken.existingSecret }}
control_token: ${BANDIT_CONTROL_TOKEN}
{{- end }}
{{- range $block, $port := dict "tls" "listen" "control_tls" "control" }}
{{- with get $.Values.tls $port }}
{{- if .secretName }}
{{ $block }}:
  certificate: /etc/bandit-tls/{{ $port }}/tls.crt
  key: /etc/bandit-tls/{{ $port }}/tls.key
  {{- if .clientCA }}
  client_ca: /etc/bandit-tls/{{ $port }}/ca.crt
  {{- with .clientNames }}
  client_names: {{ toJson . }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "bandit-router.config" -}}
{{- include "bandit-router.check" . -}}
# Written by the chart.
{{ include "bandit-router.fixedConfig" . }}
# From the values.
{{ if kindIs "string" .Values.config }}{{ .Values.config }}{{ else }}{{ toYaml .Values.config }}{{ end }}
{{- end }}

{{- define "bandit-router.restartChecksum" -}}
bandit-router/restart-checksum: {{ include "bandit-router.fixedConfig" . | sha256sum | trunc 16 | quote }}
{{- end }}
