import { chmod, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { orPackaged } from '../../base/files/packaged.js'
import { writeFileAtomic } from '../../base/files/write-file-atomic.js'
import { UserError } from '../../base/user-error.js'
import type { ClusterRun, JobFile } from '../../pipeline/clusters/cluster-run.js'
import { kubernetesFiles, requireObjectName } from '../../pipeline/clusters/kubernetes-files.js'
import { type Segment, segmentsOf } from '../../pipeline/clusters/segments.js'
import { slurmFiles } from '../../pipeline/clusters/slurm-files.js'
import { faultLines, findFaults } from '../../pipeline/plan/check-stages.js'
import { readPipeline } from '../../pipeline/read-pipeline.js'
import { withNeeds } from '../../pipeline/run-pipeline.js'
import type { Pipeline } from '../../pipeline/stages/pipeline-config.js'
import { openStorage } from '../../storage/open-storage.js'
import { note, printExact, printJson, say } from '../terminal/print.js'

export interface SubmitOptions {
  readonly slurm?: boolean
  readonly k8s?: boolean
  readonly dataset?: string
  readonly set: readonly string[]
  readonly only: readonly string[]
  readonly slices: number
  readonly limit?: number
  readonly cpus: number
  readonly memory: string
  readonly partition?: string
  readonly gpuPartition?: string
  readonly time?: string
  readonly gres?: string
  readonly sbatch: readonly string[]
  readonly command?: string
  readonly image?: string
  readonly namespace?: string
  readonly claim?: string
  readonly secret?: string
  readonly gpu?: number
  readonly out?: string
  readonly json?: boolean
}

const ofSlurm = ['partition', 'gpuPartition', 'time', 'gres', 'command'] as const
const ofKubernetes = ['image', 'namespace', 'claim', 'secret', 'gpu'] as const

/** `groundmill submit`: prints what a cluster needs to run a pipeline, or writes it into a folder. */
export async function submit(path: string, options: SubmitOptions, version: string): Promise<void> {
  requireOneCluster(options)
  const file = orPackaged(path)
  const pipeline = await readPipeline(file, { set: options.set, onNotice: note })
  const segments = segmentsOf(pipeline, options.only.length > 0 ? options.only : undefined)
  const run: ClusterRun = {
    pipeline: pipeline.name,
    path: resolve(file),
    dataset: options.dataset ?? `runs/${pipeline.name}`,
    set: options.set,
    slices: slicesOf(options),
    limit: options.limit,
    cpus: options.cpus,
    memory: mebibytes(options.memory),
  }
  const files = options.slurm
    ? slurmJobs(segments, run, options)
    : await kubernetesJobs(segments, run, options, version)
  await tellOfFaults(pipeline, options)
  if (options.out !== undefined) {
    for (const { name, text, executable } of files) {
      await writeFileAtomic(join(options.out, name), text)
      if (executable) await chmod(join(options.out, name), 0o755)
    }
  }
  if (options.json) printJson(asJson(segments, files, options.out))
  else await printExact(asText(files, options.out))
}

/**
 * Says what would stop a stage. It is no refusal: files may come before the jobs do, and of those of a Kubernetes
 * cluster this machine knows nothing.
 */
async function tellOfFaults(pipeline: Pipeline, { k8s, only, dataset }: SubmitOptions): Promise<void> {
  const wanted = only.length > 0 ? withNeeds(pipeline, only) : undefined
  const stages = pipeline.stages.filter(({ name }) => !wanted || wanted.has(name))
  const run = openStorage(dataset ?? `runs/${pipeline.name}`)
  const faults = (await findFaults(stages, run)).filter((fault) => !k8s || fault.key === undefined)
  for (const line of faultLines(faults)) say(`groundmill: to be mended before the jobs run: ${line}`)
}

function requireOneCluster(options: SubmitOptions) {
  const { slurm = false, k8s = false } = options
  if (slurm === k8s) throw new UserError('Give --slurm or --k8s: which cluster the files are for.')
  const foreign = (slurm ? ofKubernetes : ofSlurm).find((key) => options[key] !== undefined)
  const flag = foreign ?? (k8s && options.sbatch.length > 0 ? 'sbatch' : undefined)
  if (flag !== undefined) {
    const name = flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    throw new UserError(`--${name} is an option of ${slurm ? '--k8s' : '--slurm'} alone.`)
  }
}

/** Slices of a job: Kubernetes takes no more indexes where each may fail by itself. */
function slicesOf({ slices }: SubmitOptions): number {
  if (slices > 100_000) throw new UserError(`--slices ${slices}: at most 100,000.`)
  return slices
}

function mebibytes(size: string): number {
  const [, amount, unit = ''] = /^(\d+)([MGT])(?:i?B)?$/i.exec(size) ?? []
  const number = Number(amount) * ({ M: 1, G: 1024, T: 1024 ** 2 }[unit.toUpperCase()] ?? Number.NaN)
  if (!(number > 0 && Number.isSafeInteger(number)))
    throw new UserError(`--memory ${size}: expected a number and M, G or T, such as 16G.`)
  return number
}

function slurmJobs(segments: readonly Segment[], run: ClusterRun, options: SubmitOptions): JobFile[] {
  const { time = '24:00:00', gres = 'gpu:1', command = 'groundmill', partition, gpuPartition } = options
  const forms = [
    ['--time', time, /^(?:\d+-\d+(?::\d+){0,2}|\d+(?::\d+){0,2})$/, 'minutes, H:M:S or D-H:M:S'],
    ['--gres', gres, /^[\w.:,=()-]+$/, 'a name and a count, such as gpu:1'],
    ['--partition', partition ?? 'any', /^[\w.,-]+$/, 'names of partitions'],
    ['--gpu-partition', gpuPartition ?? 'any', /^[\w.,-]+$/, 'names of partitions'],
    ['--command', command, /\S/, 'words'],
    ...options.sbatch.map(
      (text) => ['--sbatch', text, /^--[a-z][a-z-]*(?:=[\x20-\x7e]+)?$/, '--name=value'] as const,
    ),
  ] as const
  for (const [flag, text, form, expected] of forms) {
    if (!form.test(text)) throw new UserError(`${flag} ${text}: expected ${expected}.`)
  }
  if (run.slices > 1000)
    say(
      `groundmill: most Slurm sites take arrays of at most 1,000 tasks: see MaxArraySize in \`scontrol show config\``,
    )
  return slurmFiles(segments, run, {
    folder: process.cwd(),
    command,
    partition,
    gpuPartition,
    time,
    gres,
    sbatch: options.sbatch,
  })
}

async function kubernetesJobs(
  segments: readonly Segment[],
  run: ClusterRun,
  options: SubmitOptions,
  version: string,
): Promise<JobFile[]> {
  const { image = `groundmill:${version}`, namespace, claim, secret, gpu = 1 } = options
  for (const [flag, name] of Object.entries({ namespace, claim, secret })) {
    if (name !== undefined) requireObjectName(name, `--${flag}`)
  }
  if (!/^[\w.:/@-]+$/.test(image))
    throw new UserError(`--image ${image}: expected NAME or REGISTRY/NAME:TAG.`)
  const pipelineText = await readFile(run.path, 'utf8')
  return kubernetesFiles(segments, run, { image, namespace, claim, secret, gpus: gpu, pipelineText })
}

function asText(files: readonly JobFile[], out: string | undefined): string {
  if (out !== undefined) return `${files.map(({ name }) => join(out, name)).join('\n')}\n`
  return files.map(({ name, text }) => `==> ${name} <==\n${text}\n`).join('')
}

function asJson(segments: readonly Segment[], files: readonly JobFile[], out: string | undefined): object {
  const jobs = segments.map(({ name, sliced, gpu, stages, needs }) => ({
    ...{ name, sliced, gpu, needs },
    stages: stages.map((stage) => stage.name),
  }))
  const texts = Object.fromEntries(files.map(({ name, text }) => [name, text]))
  return { jobs, ...(out !== undefined && { folder: out }), files: texts }
}
