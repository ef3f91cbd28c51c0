{{/* SPDX-License-Identifier: Apache-2.0
For charts that have this one as a dependency, in mode sidecar. The scope is
the subchart's: (index .Subcharts "bandit-router"). docs/kubernetes.md has the
whole of it; k8s/examples/helm-sidecar is a chart that does so. */}}

{{/* An entry of a pod's initContainers. It starts before the containers and
ends after them. */}}
{{- define "bandit-router.sidecar" -}}
{{- include "bandit-router.check" . -}}
- {{ include "bandit-router.container" . | nindent 2 | trim }}
  restartPolicy: Always
{{- end }}

{{/* Entries of its volumes. */}}
{{- define "bandit-router.sidecarVolumes" -}}
{{- include "bandit-router.fileVolumes" (dict "root" . "configMap" (include "bandit-router.fullname" .)) }}
{{- if eq (include "bandit-router.stateKind" .) "emptyDir" }}
- name: bandit-router-state
  emptyDir: {sizeLimit: {{ .Values.state.size }}}
{{- end }}
{{- end }}

{{/* Labels of the pod template: the PodMonitor looks for them. */}}
{{- define "bandit-router.sidecarLabels" -}}
bandit-router/sidecar: {{ include "bandit-router.fullname" . }}
{{- end }}

{{/* Annotations of the pod template: what needs a restart gets one. */}}
{{- define "bandit-router.sidecarAnnotations" -}}
{{- include "bandit-router.restartChecksum" . }}
{{- end }}
