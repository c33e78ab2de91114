import { counted } from '../base/counted.js'
import { UserError } from '../base/user-error.js'
import { checkDataset, type DatasetCheck } from '../catalog/check-dataset.js'
import { type Finding, isBad } from '../catalog/finding.js'
import { requireFolder } from '../catalog/require-folder.js'
import { checkRun, type RunCheck } from '../pipeline/records/check-run.js'
import { isDataset } from '../shards/dataset.js'
import { openStorage } from '../storage/open-storage.js'
import type { Storage } from '../storage/storage.js'
import { print, printJson } from './terminal/print.js'
import { createProgress } from './terminal/progress.js'

export interface CheckCommandOptions {
  readonly deep?: boolean
  readonly mend?: boolean
  readonly json?: boolean
}

/** What `--json` prints. */
interface CheckReport {
  readonly url: string
  readonly datasets: Record<string, DatasetCheck>
  readonly run: RunCheck | null
  readonly findings: readonly Finding[]
  readonly bad: number
}

/**
 * `groundmill check`: what is wrong, missing, foreign or left over in a dataset, or in a run with all its datasets.
 * Exit code 1 where something is to be done.
 */
export async function check(url: string, options: CheckCommandOptions, signal: AbortSignal): Promise<void> {
  const { deep = false, mend = false } = options
  await requireFolder(url)
  const progress = createProgress()
  const findings: Finding[] = []
  const tell = (within: string) => (finding: Finding) => {
    const found = { ...finding, name: `${within}${finding.name}` }
    findings.push(found)
    if (!options.json) progress.finish(findingText(found))
  }
  const storage = openStorage(url)
  const datasets: Record<string, DatasetCheck> = {}
  const checkOne = async (name: string, dataset: Storage, within: string) => {
    datasets[name] = await checkDataset(dataset, {
      deep,
      mend,
      signal,
      onFinding: tell(within),
      onProgress: (stage, done, total) => progress.update(`${name} ${stage}`, done, total),
    })
    if (!options.json) progress.finish(datasetText(name, datasets[name], deep))
  }
  let run: RunCheck | null = null
  if (await looksLikeDataset(storage)) await checkOne('dataset', storage, '')
  else {
    const folders = await storage.folders()
    for (const name of folders) {
      const dataset = openStorage(storage.path(name))
      if (await looksLikeDataset(dataset)) await checkOne(name, dataset, `${name}/`)
    }
    if (Object.keys(datasets).length === 0 && !folders.includes('models'))
      throw new UserError(`${url} is neither a dataset nor the folder of a run: there is nothing to check.`)
    const onProgress = (done: number, total: number) => progress.update('run', done, total)
    run = await checkRun(storage, { deep, mend, signal, onFinding: tell(''), onProgress })
    if (!options.json)
      progress.finish(`run: ${counted(run.records, 'record')}, ${counted(run.models, 'model')}`)
  }
  const bad = findings.filter(isBad).length
  const report: CheckReport = { url, datasets, run, findings, bad }
  const summary = summaryText(findings, bad, mend)
  if (options.json) printJson({ ...report, ...(bad > 0 && { error: { message: summary, code: 1 } }) })
  else print(summary)
  if (bad > 0) process.exitCode = 1
}

/** Of a dataset that has lost its dataset.json the records are still there. */
async function looksLikeDataset(storage: Storage): Promise<boolean> {
  if (await isDataset(storage)) return true
  for await (const { name } of storage.listFiles('images', 'inside')) if (name.endsWith('.json')) return true
  return false
}

const findingText = ({ kind, name, what, mended }: Finding) =>
  `${mended ? '✓' : isBad({ kind, name, what }) ? '✗' : '·'} ${kind}: ${name}: ${what}${mended ? ` → ${mended}` : ''}`

function datasetText(name: string, { shards, records, bytes, stages }: DatasetCheck, deep: boolean): string {
  const made = Object.entries(stages).map(([stage, count]) => `${stage} ${count}`)
  const of = shards === null ? '' : ` of ${counted(shards, 'shard')}`
  return `${name}: ${counted(records, 'record')}, ${(bytes / 1e6).toFixed(1)} MB ${deep ? 'read' : 'in their files'}; made${of}: ${made.join(', ') || 'none'}`
}

function summaryText(findings: readonly Finding[], bad: number, mend: boolean): string {
  const mended = findings.filter((finding) => finding.mended !== undefined).length
  const done = mended > 0 ? `, ${mended} mended` : ''
  if (bad === 0) return `nothing is wrong${done}`
  return `${bad} ${bad === 1 ? 'thing is' : 'things are'} wrong${done}${mend ? '' : '; --mend removes what is left over, keeps the pictures of broken files that are whole, and removes the records of other broken files'}`
}
