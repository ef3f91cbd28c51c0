{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{- define "bandit-router.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "bandit-router.fullname" -}}
{{- $name := include "bandit-router.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "bandit-router.selectorLabels" -}}
app.kubernetes.io/name: {{ include "bandit-router.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bandit-router.labels" -}}
{{ include "bandit-router.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "bandit-router.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "bandit-router.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "bandit-router.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/* What is "true" or empty, so that `if include` works. */}}
{{- define "bandit-router.exposesListen" -}}
{{- $exposed := .Values.expose.listen }}
{{- if kindIs "invalid" $exposed }}{{ $exposed = eq .Values.mode "central" }}{{ end }}
{{- if $exposed }}true{{ end }}
{{- end }}

{{- define "bandit-router.exposesControl" -}}
{{- $exposed := .Values.expose.control }}
{{- if kindIs "invalid" $exposed }}{{ $exposed = true }}{{ end }}
{{- if $exposed }}true{{ end }}
{{- end }}

{{- define "bandit-router.stateKind" -}}
{{- $central := and (eq .Values.mode "central") (eq .Values.kind "StatefulSet") }}
{{- if .Values.state.kind }}{{ .Values.state.kind }}
{{- else if or $central .Values.state.existingClaim }}persistent
{{- else }}emptyDir
{{- end }}
{{- end }}

{{/* The kubelet speaks neither TLS to a gRPC probe nor to another's loopback. */}}
{{- define "bandit-router.probeType" -}}
{{- if .Values.probes.type }}{{ .Values.probes.type }}
{{- else if or .Values.tls.control.secretName (not (include "bandit-router.exposesControl" .)) }}http
{{- else }}grpc
{{- end }}
{{- end }}

{{- define "bandit-router.readiness" -}}
{{- default (ternary "backends" "process" (eq .Values.mode "central")) .Values.probes.readiness }}
{{- end }}

{{/* Beside the grace the router gives a stuck disk five seconds, and the
kubelet needs some to notice. */}}
{{- define "bandit-router.terminationGracePeriodSeconds" -}}
{{- add .Values.drain.delaySeconds .Values.drain.graceSeconds 10 }}
{{- end }}

{{/* Refuses what would render but not work; one sentence, cause and mend. */}}
{{- define "bandit-router.check" -}}
{{- $values := .Values }}
{{- $kind := include "bandit-router.stateKind" . }}
{{- $secret := "kubectl create secret generic bandit-router --from-literal=token-key=\"$(openssl rand -hex 32)\"" }}
{{- if not $values.config }}
{{- fail "config is empty: give the router's config as a map in the values, or as a file with --set-file config=router.yaml" }}
{{- end }}
{{- if kindIs "map" $values.config }}
{{- range $key := list "listen" "control" "admin" "workers" "state" "grace" "token_key" "control_token" "tls" "control_tls" }}
{{- if hasKey $values.config $key }}
{{- fail (printf "config.%s is written by the chart: leave it out, and set ports, expose, workers, state, drain, tokenKey, controlToken or tls" $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- if not $values.tokenKey.existingSecret }}
{{- if eq $values.mode "sidecar" }}
{{- fail (printf "tokenKey.existingSecret is empty: sidecars must share a key, or rewards work only at the pod that decided. Make one: %s" $secret) }}
{{- else if gt (int $values.replicas) 1 }}
{{- fail (printf "tokenKey.existingSecret is empty: replicas must share a key. Make one: %s" $secret) }}
{{- else if ne $kind "persistent" }}
{{- fail (printf "tokenKey.existingSecret is empty and the state is not persistent: every restart would make all tokens unreadable. Make a key: %s" $secret) }}
{{- end }}
{{- end }}
{{- if eq $values.mode "central" }}
{{- if and (eq $values.kind "Deployment") (eq $kind "persistent") }}
{{- if not $values.state.existingClaim }}
{{- fail "kind: Deployment keeps its state in state.existingClaim or not at all: name a claim, use kind: StatefulSet, or say state.kind: emptyDir" }}
{{- else if gt (int $values.replicas) 1 }}
{{- fail "state.existingClaim holds the state of one router: use kind: StatefulSet for several replicas" }}
{{- end }}
{{- end }}
{{- if not (include "bandit-router.exposesListen" .) }}
{{- fail "expose.listen: false would leave the Service without a port that answers: leave it out in mode central" }}
{{- end }}
{{- else if eq $kind "persistent" }}
{{- fail "state.kind: persistent is not for mode sidecar, whose pods come and go: use emptyDir or memory" }}
{{- end }}
{{- if and (eq $values.probes.type "grpc") $values.tls.control.secretName }}
{{- fail "probes.type: grpc does not work with tls.control: the kubelet's gRPC probes speak no TLS; leave it out or say http" }}
{{- end }}
{{- if and (eq $values.probes.type "grpc") (not (include "bandit-router.exposesControl" .)) }}
{{- fail "probes.type: grpc does not work with expose.control: false: the kubelet does not reach a pod's loopback; leave it out or say http" }}
{{- end }}
{{- end }}
