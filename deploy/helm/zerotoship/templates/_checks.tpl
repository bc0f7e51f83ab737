{{/* Decides what is refused, in one line each: what values.schema.json cannot say. */}}

{{- define "zts.checks" -}}
{{- if not .Values.secrets.name }}
{{- fail "secrets.name is empty: name a Secret that holds REDIS_URL (kubectl create secret generic zerotoship --from-literal=REDIS_URL=redis://...)" }}
{{- end }}
{{- range $name, $_ := .Values.config }}
{{- if regexMatch "(KEY|PASSWORD|TOKEN|SECRET|REDIS_URL|BROKER_URL)$" $name }}
{{- fail (printf "config.%s is a secret: put it into the Secret of secrets.name" $name) }}
{{- end }}
{{- if has $name (list "ZTS_SHUTDOWN" "ZTS_ARTIFACTS" "ZTS_DATA_FOLDER" "PROMETHEUS_PORT" "ZTS_PROMETHEUS_PORT" "ZTS_PROMETHEUS_HOST" "ZTS_LOG_FORMAT") }}
{{- fail (printf "config.%s is set by the chart: use shutdownSeconds or artifacts, or leave it out" $name) }}
{{- end }}
{{- end }}
{{- $taken := list }}
{{- range $group, $of := .Values.workers }}
{{- if $of.enabled }}
{{- $taken = concat $taken $of.queues }}
{{- with $of.autoscaling }}
{{- if .enabled }}
{{- if gt (int .min) (int .max) }}
{{- fail (printf "workers.%s.autoscaling.min (%d) is above its max (%d)" $group (int .min) (int .max)) }}
{{- end }}
{{- if has "zts.control" $of.queues }}
{{- fail (printf "workers.%s takes zts.control and cannot be scaled by what waits: leave its autoscaling off, it looks after timers" $group) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- range list "zts.control" "zts.high" "zts.steps" "zts.steps.low" }}
{{- if not (has . $taken) }}
{{- fail (printf "queue %s is taken by no group of workers: name it in workers.<group>.queues of one that is enabled" .) }}
{{- end }}
{{- end }}
{{- if include "zts.scaled" . }}
{{- if and (eq .Values.scaling.source "prometheus") (not .Values.scaling.prometheus.address) }}
{{- fail "scaling.prometheus.address is empty: name your Prometheus (http://prometheus.monitoring.svc:9090), or set scaling.source to redis" }}
{{- end }}
{{- if and (eq .Values.scaling.source "redis") (not .Values.scaling.redis.address) (not .Values.redis.enabled) }}
{{- fail "scaling.redis.address is empty: name the Redis that carries the messages, as host:6379" }}
{{- end }}
{{- end }}
{{- if and .Values.producer.idea .Values.producer.ideaFrom.configMap }}
{{- fail "producer.idea and producer.ideaFrom.configMap are both set: keep one" }}
{{- end }}
{{- end }}

{{/* "yes" where a group is scaled by what waits. */}}
{{- define "zts.scaled" -}}
{{- range .Values.workers }}{{ if and .enabled .autoscaling }}{{ if .autoscaling.enabled }}yes{{ end }}{{ end }}{{ end }}
{{- end }}
