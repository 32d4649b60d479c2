{{- define "cauldron.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "cauldron.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "cauldron.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "cauldron.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "cauldron.selector" -}}
app.kubernetes.io/name: {{ include "cauldron.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "cauldron.labels" -}}
{{ include "cauldron.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "cauldron.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "cauldron.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* (chart's image, a class's image, chart): the class's parts win. */ -}}
{{- define "cauldron.image" -}}
{{- $image := mergeOverwrite (deepCopy .Values.image) (default dict .own) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "cauldron.claim" -}}
{{- default (printf "%s-pictures" (include "cauldron.fullname" .)) .Values.storage.pictures.existingClaim -}}
{{- end -}}

{{- /* Variables of all: where secrets lie, where things are kept, what may be reached. Later ones of
       `own` win over those of the chart. */ -}}
{{- define "cauldron.env" -}}
{{- range $variable, $key := .Values.secrets.files }}
- {name: {{ $variable }}_FILE, value: {{ printf "/run/secrets/cauldron/%s" $key | quote }}}
{{- end }}
{{- range $variable, $key := .Values.secrets.paths }}
- {name: {{ $variable }}, value: {{ printf "/run/secrets/cauldron/%s" $key | quote }}}
{{- end }}
- {name: CAULDRON_DATA, value: /data}
- {name: HOME, value: /data}
- {name: BLOB_URL, value: {{ default "file:/pictures" .Values.storage.pictures.url | quote }}}
- {name: CAULDRON_LOG_FORMAT, value: json}
- {name: OMP_WAIT_POLICY, value: passive}
{{- if or .Values.models.existingClaim .Values.models.image.reference }}
- {name: CAULDRON_MODELS, value: /models}
{{- end }}
{{- with .Values.allowHosts }}
- {name: CAULDRON_ALLOW_HOSTS, value: {{ join "," . | quote }}}
{{- end }}
{{- range $name, $value := mergeOverwrite (deepCopy .Values.env) (default dict .own) }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{- define "cauldron.secretVolume" -}}
- name: secrets
  secret:
    secretName: {{ .Values.secrets.existingSecret }}
    defaultMode: 0440
    optional: {{ .Values.secrets.optional }}
    items:
      {{- range $key := concat (values .Values.secrets.files) (values .Values.secrets.paths) | uniq | sortAlpha }}
      - {key: {{ $key }}, path: {{ $key }}}
      {{- end }}
{{- end -}}

{{- define "cauldron.volumes" -}}
{{ include "cauldron.secretVolume" . }}
- name: scratch
  emptyDir: {sizeLimit: {{ .Values.storage.scratch.sizeLimit }}}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- if not .Values.storage.pictures.url }}
- name: pictures
  persistentVolumeClaim: {claimName: {{ include "cauldron.claim" . }}}
{{- end }}
{{- if .Values.models.existingClaim }}
- name: models
  persistentVolumeClaim: {claimName: {{ .Values.models.existingClaim }}, readOnly: true}
{{- else if .Values.models.image.reference }}
- name: models
  image: {reference: {{ .Values.models.image.reference | quote }}, pullPolicy: {{ .Values.models.image.pullPolicy }}}
{{- end }}
{{- end -}}

{{- define "cauldron.mounts" -}}
- {name: secrets, mountPath: /run/secrets/cauldron, readOnly: true}
- {name: scratch, mountPath: /data}
- {name: tmp, mountPath: /tmp}
{{- if not .Values.storage.pictures.url }}
- {name: pictures, mountPath: /pictures}
{{- end }}
{{- if or .Values.models.existingClaim .Values.models.image.reference }}
- {name: models, mountPath: /models, readOnly: true}
{{- end }}
{{- end -}}

{{- /* Over hosts first, and over zones: losing one loses the least. */ -}}
{{- define "cauldron.spread" -}}
{{- $labels := merge (dict "app.kubernetes.io/component" .component) (include "cauldron.selector" . | fromYaml) -}}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- toYaml $labels | nindent 6 }}
{{- end }}
{{- end -}}

{{- /* The classes that are enabled, with what they inherit: {name: values} */ -}}
{{- define "cauldron.workers" -}}
{{- $all := dict -}}
{{- range $name, $own := .Values.workers -}}
{{- $class := mergeOverwrite (deepCopy $.Values.workerDefaults) (deepCopy (default dict $own)) -}}
{{- if $class.enabled -}}
{{- $_ := set $all $name $class -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}
