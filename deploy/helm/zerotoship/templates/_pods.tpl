{{/* Decides what all pods have in common: who they run as, what they may, what they are given. */}}

{{- define "zts.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "zts.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Of (dict "root" $ "group" values of a group of workers, who may have nodes of their own). Without service links: a Service
named `prometheus` would otherwise set PROMETHEUS_PORT to tcp://... */}}
{{- define "zts.podCommon" -}}
{{- $group := .group | default dict -}}
serviceAccountName: {{ include "zts.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with $group.nodeSelector | default .root.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $group.tolerations | default .root.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Of (dict "secret" name "keys" list "needed" list) */}}
{{- define "zts.fromSecret" -}}
{{- range .keys }}
- name: {{ . }}
  valueFrom:
    secretKeyRef: {name: {{ $.secret }}, key: {{ . }}{{ if not (has . $.needed) }}, optional: true{{ end }}}
{{- end }}
{{- end }}

{{/* REDIS_URL and the broker's address; of (dict "root" $ "secret" name) */}}
{{- define "zts.redisEnv" -}}
{{- if .root.Values.redis.enabled }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ .root.Values.secrets.name }}, key: REDIS_PASSWORD}
- name: REDIS_URL
  value: redis://:$(REDIS_PASSWORD)@{{ include "zts.name" .root }}-redis:6379/0
{{- else }}
{{- include "zts.fromSecret" (dict "secret" .secret "keys" (list "REDIS_URL" "ZTS_BROKER_URL") "needed" (list "REDIS_URL")) }}
{{- end }}
{{- end }}

{{/* Settings of workers and producer; of (dict "root" $ "secret" name) */}}
{{- define "zts.env" -}}
{{- include "zts.redisEnv" . }}
- name: ZTS_DATA_FOLDER
  value: /var/lib/zerotoship
- name: ZTS_ARTIFACTS
  value: {{ .root.Values.artifacts.url | default "/var/lib/zerotoship/artifacts" | quote }}
- name: ZTS_LOG_FORMAT
  value: json
{{- include "zts.fromSecret" (dict "secret" .secret "keys" (list "ZTS_ENCRYPTION_KEY" "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY") "needed" list) }}
{{- range $name, $value := .root.Values.config }}
- name: {{ $name }}
  # As JSON: Helm writes a number of seven digits as 1e+06 otherwise.
  value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- end }}

{{- define "zts.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: data, mountPath: /var/lib/zerotoship}
{{- if not .Values.artifacts.url }}
- {name: artifacts, mountPath: /var/lib/zerotoship/artifacts}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "zts.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 2Gi}
- name: data
  emptyDir: {sizeLimit: 1Gi}
{{- if not .Values.artifacts.url }}
- name: artifacts
  persistentVolumeClaim: {claimName: {{ include "zts.claim" . }}}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
