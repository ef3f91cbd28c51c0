{{/* SPDX-License-Identifier: Apache-2.0
The router's container, the same in every mode. */}}

{{- define "bandit-router.securityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "bandit-router.env" -}}
{{- range $name, $secret := dict "BANDIT_TOKEN_KEY" .Values.tokenKey "BANDIT_CONTROL_TOKEN" .Values.controlToken }}
{{- if $secret.existingSecret }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $secret.existingSecret }}, key: {{ $secret.key }}}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Whole directories, no subPath: files below one never change. */}}
{{- define "bandit-router.fileMounts" -}}
- {name: bandit-router-config, mountPath: /etc/bandit-router, readOnly: true}
{{- range $port := list "listen" "control" }}
{{- if (get $.Values.tls $port).secretName }}
- {name: bandit-router-tls-{{ $port }}, mountPath: /etc/bandit-tls/{{ $port }}, readOnly: true}
{{- end }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Arguments: root, configMap. */}}
{{- define "bandit-router.fileVolumes" -}}
- name: bandit-router-config
  configMap: {name: {{ .configMap }}}
{{- range $port := list "listen" "control" }}
{{- with (get $.root.Values.tls $port).secretName }}
- name: bandit-router-tls-{{ $port }}
  secret: {secretName: {{ . }}}
{{- end }}
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Arguments: root, what: process or backends. */}}
{{- define "bandit-router.probe" -}}
{{- if eq (include "bandit-router.probeType" .root) "grpc" -}}
{{- if eq .what "process" -}}
grpc: {port: {{ .root.Values.ports.control }}, service: bandit.v1.Admin}
{{- else -}}
grpc: {port: {{ .root.Values.ports.control }}}
{{- end }}
{{- else -}}
httpGet: {port: admin, path: {{ ternary "/healthz" "/readyz" (eq .what "process") }}}
{{- end }}
{{- end }}

{{- define "bandit-router.container" -}}
name: bandit-router
image: {{ include "bandit-router.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [--config, /etc/bandit-router/router.yaml, --log-level, {{ .Values.logLevel }}]
env:
  # For banditctl, by kubectl exec.
  - {name: BANDIT_ADDRESS, value: "127.0.0.1:{{ .Values.ports.control }}"}
  {{- include "bandit-router.env" . | nindent 2 }}
ports:
  - {name: listen, containerPort: {{ .Values.ports.listen }}}
  - {name: control, containerPort: {{ .Values.ports.control }}}
  - {name: admin, containerPort: {{ .Values.ports.admin }}}
# Not asked about backends: what starts after the router may be one.
startupProbe:
  {{- include "bandit-router.probe" (dict "root" . "what" "process") | nindent 2 }}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  {{- include "bandit-router.probe" (dict "root" . "what" "process") | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 6
readinessProbe:
  {{- include "bandit-router.probe" (dict "root" . "what" (include "bandit-router.readiness" .)) | nindent 2 }}
  periodSeconds: 2
  failureThreshold: 2
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- include "bandit-router.securityContext" . | nindent 2 }}
volumeMounts:
  {{- include "bandit-router.fileMounts" . | nindent 2 }}
{{- if ne (include "bandit-router.stateKind" .) "memory" }}
  - {name: bandit-router-state, mountPath: /var/lib/bandit-router}
{{- end }}
{{- end }}
