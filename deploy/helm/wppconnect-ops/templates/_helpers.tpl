{{- define "wppconnect-ops.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "wppconnect-ops.fullname" -}}
{{- $name := include "wppconnect-ops.name" . -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{ .Values.fullnameOverride | default $full | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "wppconnect-ops.selector" -}}
app.kubernetes.io/name: {{ include "wppconnect-ops.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wppconnect-ops.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{ include "wppconnect-ops.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "wppconnect-ops.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The published address of the page without a slash at its end. */}}
{{- define "wppconnect-ops.externalUrl" -}}
{{ .Values.settings.DASHBOARD_EXTERNAL_URL | trimSuffix "/" }}
{{- end }}

{{/*
The Deployments, as JSON: one for each program where they share a database, else one pod with both. Each has the suffix
of its name, the label of its pods and Services, its programs ("parts") and their number.
*/}}
{{- define "wppconnect-ops.workloads" -}}
{{- if .Values.secretSettings.WPPCONNECT_STORE_URL -}}
{{- $exporter := dict "suffix" "-exporter" "label" "exporter" "parts" (list "exporter") "replicas" .Values.exporter.replicas -}}
{{- $page := dict "suffix" "-page" "label" "page" "parts" (list "page") "replicas" .Values.page.replicas -}}
{{ list $exporter $page | toJson }}
{{- else -}}
{{ list (dict "suffix" "" "label" "all" "parts" (list "exporter" "page") "replicas" 1) | toJson }}
{{- end }}
{{- end }}

{{/* Which settings a part reads, by the beginning of their variables. */}}
{{- define "wppconnect-ops.variables" -}}
{{ eq . "exporter" | ternary "^(WPPCONNECT|EXPORTER)_" "^(WPPCONNECT|DASHBOARD|ALERTMANAGER|GRAFANA)_" }}
{{- end }}

{{/* One container; the dictionary holds root, part ("exporter" or "page") and ready (the path of its readiness probe). */}}
{{- define "wppconnect-ops.container" -}}
{{- $exporter := eq .part "exporter" -}}
{{- $variables := include "wppconnect-ops.variables" .part -}}
name: {{ .part }}
image: {{ include "wppconnect-ops.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ $exporter | ternary "exporter" "dashboard" }}]
env:
  # A folder inside the volume, so that it is private whatever the volume's own mode.
  - name: WPPCONNECT_DATA_DIR
    value: /data/ops
  - name: {{ $exporter | ternary "EXPORTER_WEB_LISTEN_ADDRESS" "DASHBOARD_LISTEN_ADDRESS" }}
    value: {{ $exporter | ternary ":21466" ":8501" | quote }}
  {{- range $variable, $value := .root.Values.settings }}
  {{- if regexMatch $variables $variable }}
  - name: {{ $variable }}
    value: {{ $value | toString | quote }}
  {{- end }}
  {{- end }}
  {{- range $variable, $_ := .root.Values.secretSettings }}
  {{- if regexMatch $variables $variable }}
  - name: {{ $variable }}_FILE
    value: /run/secrets/wppconnect-ops/{{ $variable }}
  {{- end }}
  {{- end }}
ports:
  - name: {{ $exporter | ternary "metrics" "http" }}
    containerPort: {{ $exporter | ternary 21466 8501 }}
startupProbe:
  httpGet: {path: /-/healthy, port: {{ $exporter | ternary "metrics" "http" }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /-/healthy, port: {{ $exporter | ternary "metrics" "http" }}}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: {{ .ready }}, port: {{ $exporter | ternary "metrics" "http" }}}
  periodSeconds: 5
  timeoutSeconds: 5
resources: {{ toJson (get .root.Values .part).resources }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: data, mountPath: /data}
  # For libraries: the programs themselves write to no other folder than /data.
  - {name: tmp, mountPath: /tmp}
  {{- if include "wppconnect-ops.secretSources" . }}
  - {name: {{ .part }}-secrets, mountPath: /run/secrets/wppconnect-ops, readOnly: true}
  {{- end }}
  {{- range .root.Values.extraVolumeMounts }}
  - {{ toJson . }}
  {{- end }}
{{- end }}

{{/* The secrets of one part as sources of a projected volume, empty if it has none; the dictionary holds root and part. */}}
{{- define "wppconnect-ops.secretSources" -}}
{{- $variables := include "wppconnect-ops.variables" .part -}}
{{- range $variable, $from := .root.Values.secretSettings }}
{{- if regexMatch $variables $variable }}
- secret:
    name: {{ $from.secret }}
    items: [{key: {{ $from.key | quote }}, path: {{ $variable }}}]
{{- end }}
{{- end }}
{{- end }}

{{- define "wppconnect-ops.secretVolume" -}}
{{- with include "wppconnect-ops.secretSources" . }}
- name: {{ $.part }}-secrets
  projected:
    defaultMode: 0440
    sources: {{- . | nindent 6 }}
{{- end }}
{{- end }}
