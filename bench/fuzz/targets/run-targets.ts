import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isAuditSummary } from '../../../src/audit/is-audit-summary.js'
import { hashJson } from '../../../src/base/hash.js'
import { thisProcess } from '../../../src/base/process-identity.js'
import { UserError } from '../../../src/base/user-error.js'
import { plannedRounds } from '../../../src/cli/round.js'
import { auditTable, labelTable, unnamedText } from '../../../src/cli/terminal/print-audit.js'
import { evaluationTable, reportTable } from '../../../src/cli/terminal/print-report.js'
import { runStateText } from '../../../src/cli/terminal/print-run-state.js'
import { metricNames, pictureMetric } from '../../../src/evaluate/compare/picture-metrics.js'
import { isEvaluation } from '../../../src/pipeline/promotion/is-evaluation.js'
import { isPromotion } from '../../../src/pipeline/promotion/is-promotion.js'
import { parseOutcomes } from '../../../src/pipeline/promotion/parse-outcomes.js'
import { roundReport } from '../../../src/pipeline/promotion/round-report.js'
import { readPipeline } from '../../../src/pipeline/read-pipeline.js'
import { checkRun } from '../../../src/pipeline/records/check-run.js'
import { parsePlan } from '../../../src/pipeline/records/ingest-plan.js'
import { notePromotion } from '../../../src/pipeline/records/note-promotion.js'
import { pinModel, pinnedFiles } from '../../../src/pipeline/records/pinned-model.js'
import { readRunRecord } from '../../../src/pipeline/records/run-record.js'
import { kindOf } from '../../../src/pipeline/stages/pipeline-config.js'
import { presenceFolder, readPresences } from '../../../src/pipeline/tasks/read-presences.js'
import { runStateReader } from '../../../src/pipeline/tasks/run-state.js'
import { parsePipelineText, storePipeline } from '../../../src/pipeline/tasks/stored-pipeline.js'
import { acquireLock } from '../../../src/storage/lock.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { encodeEvent, timeOfEvent } from '../../../src/train/events/event-proto.js'
import { frameRecord, readRecords } from '../../../src/train/events/event-records.js'
import { openMetricsLog } from '../../../src/train/metrics-log.js'
import { readCheckpoint, writeCheckpoint } from '../../../src/train/optimizer/checkpoint.js'
import { emptyState } from '../../../src/train/optimizer/optimizer-state.js'
import { plotLosses } from '../../../src/train/plot-losses.js'
import { type FuzzTarget, jsonSample, textSample } from '../target.js'
import { auditResult, evaluation, outcomes, plan, promotion, recordOf } from './run-samples.js'

/** A file of a run: what it is called, what is good in it, and what reads it besides `check` and `watch`. */
type RunFile = readonly [
  name: string,
  samples: readonly Uint8Array[],
  read: (bytes: Uint8Array, path: string) => Promise<unknown>,
]

const refused = (what: string) => {
  throw new UserError(`It is made again, or left out: ${what}.`)
}

/** What a run keeps of itself, read back by another process or another day. */
export async function runTargets(folder: string): Promise<FuzzTarget[]> {
  const url = join(folder, 'a-run')
  const run = openStorage(url)
  const root = new URL('../../../', import.meta.url).pathname
  const pipeline = await readPipeline(join(root, 'pipelines/self-training.yaml'))
  const hash = await storePipeline(run, pipeline)
  const stored = await readFile(run.path(`.groundmill/pipelines/${hash}.json`))
  await run.write('models/m/README.md', '# m\n')
  await pinModel(run, 'f'.repeat(64), '/models/other', { 'config.json': 'a'.repeat(64) })
  const now = new Date().toISOString()
  const presence = {
    ...thisProcess,
    kind: 'worker',
    pipeline: hash,
    since: now,
    beat: now,
    task: { stage: 'chunk', shard: '00000', since: now, done: 1, total: 12 },
    rows: 3,
    tasks: { made: 1, skipped: 0, failed: 1 },
    rate: 2.5,
    failed: [{ stage: 'chunk', shard: '00002', error: 'gone' }],
  }
  const lock = { ...thisProcess, token: 'x', what: 'making "a"', since: now, beat: Date.now() }
  const recordFile = (name: string, result: object, read: (result: unknown) => unknown): RunFile => [
    name,
    [jsonSample(recordOf(result))],
    async () => {
      const record = await readRunRecord<unknown>(run, name)
      if (!record) return refused('no record')
      await read(record.result)
      return undefined
    },
  ]
  const slot = { name: 'w', shape: [4], offset: 0 }
  const group = { name: 'weights', size: 4, slots: [slot], decay: true, rate: 1 }
  const state = emptyState([group as never], [])
  const checkpoint = join(folder, 'good.safetensors')
  await writeCheckpoint(checkpoint, { step: 3, hash: 'h' }, state)
  const step = { loss: 1.5, learning_rate: 0.1, gradient_norm: 2, seconds: 1, data_seconds: 0.2 }
  const steps = [1, 2, 3].map((number) => `${JSON.stringify({ step: number, ...step })}\n`).join('')

  const files: readonly RunFile[] = [
    [
      `${presenceFolder}/a.json`,
      [jsonSample(presence)],
      async () => {
        runStateText(await runStateReader(run)())
        if ((await readPresences(run)).length === 0) refused('no process')
      },
    ],
    [
      '.groundmill/pipelines/any.json',
      [stored],
      async (bytes, path) => parsePipelineText(bytes, path).stages.map(kindOf),
    ],
    [
      '.groundmill/plans/any.json',
      [jsonSample(plan)],
      async (bytes) => parsePlan(hashed(bytes)) ?? refused('no plan'),
    ],
    [
      `.groundmill/models/${'f'.repeat(64)}.json`,
      [await readFile(run.path(`.groundmill/models/${'f'.repeat(64)}.json`))],
      async () => Object.keys((await pinnedFiles(run, 'f'.repeat(64))) ?? refused('no model')),
    ],
    recordFile('evaluations/m-on-gold.json', evaluation, (result) =>
      isEvaluation(result)
        ? evaluationTable(['held out'], [{ labels: ['gold'], evaluation: result }])
        : refused('no scores'),
    ),
    recordFile('audits/a.json', auditResult, (result) => {
      if (!isAuditSummary(result)) return refused('no summary')
      labelTable(result)
      auditTable(result)
      return unnamedText(result.unnamed ?? [])
    }),
    recordFile('rounds/1.json', promotion, async (result) => {
      if (!isPromotion(result)) return refused('no decision')
      reportTable(roundReport(result))
      await run.write('models/m/record.json', JSON.stringify(recordOf({ steps: 1 })))
      return notePromotion(run, 'models/m', result)
    }),
    [
      'models/m/record.json',
      [jsonSample(recordOf({ steps: 3, seconds: 1, last: step }))],
      () => notePromotion(run, 'models/m', promotion),
    ],
    [
      'evaluations/m-on-gold.outcomes.json',
      [jsonSample(outcomes)],
      async (bytes) => {
        const read = parseOutcomes(parsed(bytes))
        if (typeof read === 'string') throw new UserError(read)
        const once = new Int32Array(read.images).fill(1)
        for (const name of metricNames) pictureMetric(name, read).over(once)
      },
    ],
    [
      'rounds.json',
      [jsonSample({ rounds: 3 })],
      async (bytes) => plannedRounds(Buffer.from(bytes), 'rounds.json'),
    ],
    ['report.json', [jsonSample({ ...roundReport(promotion) })], async () => {}],
    [
      'models/a.lock',
      [jsonSample(lock)],
      async () => {
        const own = await acquireLock(run, 'models/a.lock', { what: 'x', wait: false })
        await own.release()
      },
    ],
    [
      'models/m.partial/checkpoint.safetensors',
      [await readFile(checkpoint)],
      async (_, path) => (await readCheckpoint(path, 'h', state)) ?? refused('no checkpoint'),
    ],
    [
      'models/m.partial/events.out.tfevents.1700000000.groundmill',
      [frameRecord(encodeEvent({ time: 1.5, step: 3, what: { scalars: { 'train/loss': 2 } } }))],
      async (bytes) => {
        const events = readRecords(bytes).map(timeOfEvent)
        if (!events.some((event) => event)) refused('no events')
      },
    ],
    [
      'models/m.partial/metrics.jsonl',
      [textSample(steps)],
      async (_, path) => {
        const { lines } = await openMetricsLog(path, 3)
        const svg = plotLosses(lines, 'm')
        if (lines.length === 0) refused('no steps')
        if (/NaN|undefined/.test(svg)) throw new Error('the plot has no numbers')
      },
    ],
  ]
  const targets: FuzzTarget[] = []
  for (const [name, samples, read] of files) {
    const file = run.path(name)
    await mkdir(dirname(file), { recursive: true })
    // The others should be as a run leaves them, but for a lock, which nobody holds.
    if (!/lock$|any\.json$/.test(name)) await writeFile(file, samples[0] as Uint8Array)
    targets.push({
      name: `run: ${name.replace(/[0-9a-f]{64}/, 'HASH')}`,
      samples,
      file,
      async read(bytes) {
        await read(bytes, file)
        if (name.endsWith('.json') && !name.startsWith('.')) await checkFile(run, name)
      },
    })
  }
  return targets
}

/** What `check` says of a file. */
async function checkFile(run: Storage, name: string): Promise<void> {
  let wrong: string | undefined
  await checkRun(run, {
    deep: true,
    mend: false,
    onFinding: (finding) => {
      if (finding.name === name && finding.kind === 'wrong') wrong = finding.what
    },
  })
  if (wrong !== undefined) throw new UserError(wrong)
}

/** A plan with the hash that it would have: else nothing is tried behind that. */
function hashed(bytes: Uint8Array): Uint8Array {
  const value = parsed(bytes)
  return Buffer.from(JSON.stringify({ plan: value, hash: hashJson(value) }))
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown
  } catch {
    throw new UserError('It is not JSON.')
  }
}
