{{/* Names and labels that several templates share. */}}

{{- define "isinglass-runtime.fullname" -}}
{{- if contains "isinglass-runtime" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-isinglass-runtime" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "isinglass-runtime.selectorLabels" -}}
app.kubernetes.io/name: isinglass-runtime
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "isinglass-runtime.labels" -}}
{{ include "isinglass-runtime.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "isinglass-runtime.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "isinglass-runtime.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "isinglass-runtime.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Of both containers: no user may become another, nothing but the volumes is written to. */}}
{{- define "isinglass-runtime.containerSecurityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "isinglass-runtime.environment" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- if .Values.caBundle.existingConfigMap }}
- name: ISINGLASS_RUNTIME_CA_BUNDLE
  value: {{ printf "/etc/isinglass-runtime/ca/%s" .Values.caBundle.key | quote }}
{{- end }}
{{- range $name, $value := .Values.environment }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range .Values.secrets.environment }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .key | quote }}
{{- end }}
{{- end -}}

{{- define "isinglass-runtime.volumeMounts" -}}
- name: data
  mountPath: /data
- name: tmp
  mountPath: /tmp
- name: configuration
  mountPath: /etc/isinglass-runtime/configuration
  readOnly: true
{{- if .Values.caBundle.existingConfigMap }}
- name: ca
  mountPath: /etc/isinglass-runtime/ca
  readOnly: true
{{- end }}
{{- end -}}
