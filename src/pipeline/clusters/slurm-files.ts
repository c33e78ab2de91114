import {
  argumentsOf,
  type ClusterRun,
  describeStages,
  fileName,
  type JobFile,
  requirePlain,
} from './cluster-run.js'
import type { Segment } from './segments.js'
import { shellQuote } from './shell-quote.js'

/** What jobs of Slurm ask for besides. */
export interface SlurmOptions {
  /** Where relative paths of the pipeline begin. */
  readonly folder: string
  /** How the program is started, as words of a shell. */
  readonly command: string
  readonly partition?: string
  readonly gpuPartition?: string
  /** Longest time of a job, as Slurm writes it. */
  readonly time: string
  /** Generic resources of a GPU job, such as `gpu:a100:1`. */
  readonly gres: string
  /** More options of sbatch, each whole, such as `--account=vision`. */
  readonly sbatch: readonly string[]
}

/**
 * Job files for `sbatch`, one a segment, and `submit.sh`, which submits them so that each begins when those it
 * needs have ended, well or not (`afterany`): shards that were set aside end a slice with exit code 1, and
 * would leave `afterok` waiting for ever.
 */
export function slurmFiles(segments: readonly Segment[], run: ClusterRun, options: SlurmOptions): JobFile[] {
  const named = segments.map((segment, index) => ({
    segment,
    file: fileName(index, segments.length, segment, 'sbatch'),
  }))
  const jobs = named.map(({ segment, file }) => ({ name: file, text: jobFile(segment, run, options) }))
  const submit = ['#!/usr/bin/env bash', `# Submits the jobs of ${run.pipeline} in their order.`]
  submit.push('set -euo pipefail', `cd -- "$(dirname -- "\${BASH_SOURCE[0]}")"`)
  for (const { segment, file } of named) {
    const needs = segment.needs.map(
      (need) => `:$${variable(named.findIndex((one) => one.segment.name === need))}`,
    )
    const after = needs.length > 0 ? ` --dependency="afterany${needs.join('')}"` : ''
    const name = variable(segments.indexOf(segment))
    // Of several clusters sbatch prints `id;cluster`.
    submit.push(`${name}=$(sbatch --parsable${after} ${file})`, `${name}=\${${name}%%;*}`)
    submit.push(`echo "${file}: job $${name}"`)
  }
  return [...jobs, { name: 'submit.sh', text: `${submit.join('\n')}\n`, executable: true }]
}

const variable = (index: number) => `job_${index + 1}`

function jobFile(segment: Segment, run: ClusterRun, options: SlurmOptions): string {
  const { sliced, gpu } = segment
  requirePlain(options.folder)
  requirePlain(options.command)
  const partition = (gpu && options.gpuPartition) || options.partition
  const at = run.limit === undefined ? '' : `%${run.limit}`
  const directives = [
    `--job-name=${run.pipeline}-${segment.name}`,
    ...(sliced ? [`--array=0-${run.slices - 1}${at}`] : []),
    '--requeue',
    '--signal=B:TERM@60',
    '--open-mode=append',
    `--output=%x-${sliced ? '%A_%a' : '%j'}.log`,
    `--time=${options.time}`,
    `--cpus-per-task=${run.cpus}`,
    `--mem=${run.memory}M`,
    ...(partition ? [`--partition=${partition}`] : []),
    ...(gpu ? [`--gres=${options.gres}`] : []),
    ...options.sbatch,
  ]
  const args = argumentsOf(run, segment).map(shellQuote)
  // The count of an array that is submitted for a few indexes is not that of the slices.
  const slice = sliced ? ` --slice "\${SLURM_ARRAY_TASK_ID}/${run.slices}"` : ''
  return [
    '#!/usr/bin/env bash',
    `# ${describeStages(segment)}${sliced ? `, a slice of ${run.slices} a task` : ''}`,
    ...directives.map((directive) => `#SBATCH ${directive}`),
    'set -euo pipefail',
    `cd -- ${shellQuote(options.folder)}`,
    '# In the place of the shell, so that Slurm signals the program itself.',
    `exec ${options.command} ${args.join(' ')}${slice}`,
    '',
  ].join('\n')
}
