import { stringify } from 'yaml'
import { hashJson } from '../../base/hash.js'
import { UserError } from '../../base/user-error.js'
import {
  argumentsOf,
  type ClusterRun,
  describeStages,
  fileName,
  type JobFile,
  requireNoPassword,
  requirePlain,
} from './cluster-run.js'
import type { Segment } from './segments.js'
import { shellQuote } from './shell-quote.js'

/** What jobs of Kubernetes are made of besides. */
export interface KubernetesOptions {
  readonly image: string
  /** That of the context of kubectl where it is undefined. */
  readonly namespace?: string
  /** A persistent volume claim; it lies at `/data`, where relative paths of the pipeline begin. */
  readonly claim?: string
  /** A Secret whose keys are the environment of the jobs, such as those of a bucket. */
  readonly secret?: string
  /** GPUs of a GPU job. */
  readonly gpus: number
  /** The pipeline's file as it is, which the jobs get as a ConfigMap. */
  readonly pipelineText: string
}

/** Where a job finds things. */
const dataFolder = '/data'
const pipelineFolder = '/pipeline'

/**
 * An Indexed Job for each sliced segment and a Job for each other, a ConfigMap with the pipeline's file, and
 * `submit.sh`, which creates each when those it needs have ended, well or not.
 *
 * A pod that was evicted or whose node went away is not counted as a failure; what a user must mend (exit
 * code 2) and what waits for slices of an earlier job (75) is not tried again. Needs Kubernetes 1.29 or later.
 *
 * @throws UserError where the run would lie on the disk of a pod, which goes with it
 */
export function kubernetesFiles(
  segments: readonly Segment[],
  run: ClusterRun,
  options: KubernetesOptions,
): JobFile[] {
  if (options.claim === undefined && !run.dataset.startsWith('s3://'))
    throw new UserError(
      `The run ${run.dataset} would lie in a pod and go with it: give --claim NAME (it is at ${dataFolder}), or --dataset s3://…`,
    )
  requireNoPassword(options.pipelineText)
  const configMap = objectName(`${run.pipeline}-pipeline`)
  const inNamespace = options.namespace === undefined ? {} : { namespace: options.namespace }
  const labels = { 'app.kubernetes.io/name': 'groundmill', 'groundmill/pipeline': labelValue(run.pipeline) }
  const pipeline = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMap, ...inNamespace, labels },
    data: { 'pipeline.yaml': options.pipelineText },
  }
  const inPod = { ...run, path: `${pipelineFolder}/pipeline.yaml` }
  const named = segments.map((segment, index) => ({
    segment,
    name: objectName(`${run.pipeline}-${segment.name}`),
    file: fileName(index + 1, segments.length + 1, segment, 'yaml'),
  }))
  const configMapFile = fileName(0, segments.length + 1, { ...emptySegment, name: 'pipeline' }, 'yaml')
  return [
    { name: configMapFile, text: toYaml(pipeline) },
    ...named.map(({ segment, name, file }) => ({
      name: file,
      text: `# ${describeStages(segment)}\n${toYaml({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name, ...inNamespace, labels },
        spec: jobSpec(segment, inPod, options, labels, configMap),
      })}`,
    })),
    { name: 'submit.sh', text: submitScript(configMapFile, named, run, options), executable: true },
  ]
}

const emptySegment: Segment = { name: '', sliced: false, gpu: false, stages: [], last: [], needs: [] }

/** Lines are left as long as they are, and nothing is said by reference to another place. */
const toYaml = (value: unknown) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })

function jobSpec(
  segment: Segment,
  run: ClusterRun,
  options: KubernetesOptions,
  labels: Readonly<Record<string, string>>,
  configMap: string,
) {
  const { sliced, gpu } = segment
  const amounts = {
    cpu: String(run.cpus),
    memory: `${run.memory}Mi`,
    ...(gpu && { 'nvidia.com/gpu': String(options.gpus) }),
  }
  // Kubernetes puts variables in for $(NAME), and $ for $$.
  const args = argumentsOf(run, segment).map((arg) => arg.replaceAll('$', '$$$$'))
  return {
    ...(sliced
      ? {
          completionMode: 'Indexed',
          completions: run.slices,
          parallelism: Math.min(run.slices, run.limit ?? run.slices),
          backoffLimitPerIndex: 3,
        }
      : { backoffLimit: 3 }),
    podFailurePolicy: {
      rules: [
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        {
          action: sliced ? 'FailIndex' : 'FailJob',
          onExitCodes: { containerName: 'groundmill', operator: 'In', values: [2, 75] },
        },
      ],
    },
    template: {
      metadata: { labels },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 60,
        securityContext: {
          runAsNonRoot: true,
          ...{ runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'groundmill',
            image: options.image,
            args: [...args, ...(sliced ? ['--slice', `$(JOB_COMPLETION_INDEX)/${run.slices}`] : [])],
            workingDir: dataFolder,
            ...(options.secret !== undefined && { envFrom: [{ secretRef: { name: options.secret } }] }),
            resources: { requests: amounts, limits: amounts },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            volumeMounts: [
              { name: 'pipeline', mountPath: pipelineFolder, readOnly: true },
              { name: 'data', mountPath: dataFolder },
            ],
          },
        ],
        volumes: [
          { name: 'pipeline', configMap: { name: configMap } },
          options.claim === undefined
            ? { name: 'data', emptyDir: {} }
            : { name: 'data', persistentVolumeClaim: { claimName: options.claim } },
        ],
      },
    },
  }
}

function submitScript(
  configMapFile: string,
  named: readonly { readonly segment: Segment; readonly name: string; readonly file: string }[],
  { pipeline }: ClusterRun,
  { namespace }: KubernetesOptions,
): string {
  const kubectl = namespace === undefined ? 'kubectl' : `kubectl --namespace ${shellQuote(namespace)}`
  const nameOf = (segment: string) => named.find((one) => one.segment.name === segment)?.name ?? segment
  const steps = named.flatMap(({ segment, name, file }) => [
    ...segment.needs.map((need) => `ended ${nameOf(need)}`),
    `${kubectl} create -f ${file}`,
    `names+=(${name})`,
  ])
  return [
    '#!/usr/bin/env bash',
    `# Runs the jobs of ${pipeline} in their order, each when those it needs have ended, well or not. May be run`,
    '# again at any time: jobs of these names are replaced, and what is done is not done again.',
    'set -euo pipefail',
    `cd -- "$(dirname -- "\${BASH_SOURCE[0]}")"`,
    '# A job that ends badly is Failed, which `kubectl wait --for=condition=complete` alone would wait out.',
    'ended() {',
    '  local state',
    '  while true; do',
    `    state=$(${kubectl} get job "$1" -o 'jsonpath={.status.conditions[?(@.status=="True")].type}')`,
    '    case " $state " in *" Complete "* | *" Failed "*) echo "$1:$state"; return ;; esac',
    `    ${kubectl} wait --for=condition=complete --timeout=15s "job/$1" > /dev/null 2>&1 || sleep 5`,
    '  done',
    '}',
    'names=()',
    `${kubectl} delete job --ignore-not-found --cascade=foreground ${named.map(({ name }) => name).join(' ')}`,
    `${kubectl} apply -f ${configMapFile}`,
    ...steps,
    `for name in "\${names[@]}"; do ended "$name"; done`,
    '',
  ].join('\n')
}

/**
 * A name that Kubernetes takes for a job whose pods are named after it and their index: at most 50 letters,
 * the last a letter or digit. What is cut off is told by a hash.
 */
function objectName(name: string): string {
  if (name.length <= 50 && /[a-z0-9]$/.test(name)) return name
  return `${name.slice(0, 41).replace(/-+$/, '')}-${hashJson(name).slice(0, 8)}`
}

const labelValue = objectName

/** @throws UserError where a name is none that Kubernetes knows objects by */
export function requireObjectName(name: string, flag: string): void {
  requirePlain(name)
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name))
    throw new UserError(
      `${flag} ${name}: Kubernetes names are lower-case letters, digits, points and hyphens.`,
    )
}
