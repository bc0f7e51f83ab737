{{/* Decides how things are called, and which labels they bear. */}}

{{- define "zts.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "zts.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Of (dict "root" $ "component" "worker" "group" "steps"); `group` may be left out. */}}
{{- define "zts.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .group }}
zerotoship/workers: {{ . }}
{{- end }}
{{- end }}

{{- define "zts.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "zts.name" .) }}
{{- else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "zts.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "zts.claim" -}}
{{ .Values.artifacts.existingClaim | default (printf "%s-artifacts" (include "zts.name" .)) }}
{{- end }}

{{/* A worker to run commands in. */}}
{{- define "zts.someWorker" -}}
{{- $found := "" }}
{{- range $group, $of := .Values.workers }}{{ if and $of.enabled (or (not $found) (has "zts.control" $of.queues)) }}{{ $found = $group }}{{ end }}{{ end -}}
{{ include "zts.name" . }}-{{ $found }}
{{- end }}
