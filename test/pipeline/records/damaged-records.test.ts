import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { hashJson } from '../../../src/base/hash.js'
import { UserError } from '../../../src/base/user-error.js'
import { readHashList } from '../../../src/dedup/read-hash-list.js'
import { readCalibration } from '../../../src/filter/calibration-file.js'
import { parseOutcomes } from '../../../src/pipeline/promotion/parse-outcomes.js'
import { parsePlan } from '../../../src/pipeline/records/ingest-plan.js'
import { pinnedFiles } from '../../../src/pipeline/records/pinned-model.js'
import { findRunRecord } from '../../../src/pipeline/records/run-record.js'
import { parsePipelineText } from '../../../src/pipeline/tasks/stored-pipeline.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { openMetricsLog } from '../../../src/train/metrics-log.js'
import { readCheckpoint, writeCheckpoint } from '../../../src/train/optimizer/checkpoint.js'
import { emptyState } from '../../../src/train/optimizer/optimizer-state.js'
import { readRecipe } from '../../../src/world/recipe.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))

describe('what a run keeps, where a disk or a stranger has changed it', () => {
  it('is no plan where a number of it has changed', () => {
    const mark = { at: 0, line: 1 }
    const plan = {
      ...{ card: null, rows: 12, sourceHash: 's' },
      shards: [{ shard: '00000', mark, rows: 12, hash: 'h' }],
    }
    const hash = hashJson(plan)
    expect(parsePlan(bytesOf({ plan, hash }))).toEqual(plan)
    for (const other of [{ ...plan, rows: 13 }, { ...plan, shards: [] }, null, []])
      expect(parsePlan(bytesOf({ plan: other, hash }))).toBeUndefined()
    // Whoever changes the hash too cannot make a plan of what is none.
    const wrong = { ...plan, shards: [{ shard: '00000', mark: null, rows: 12, hash: 'h' }] }
    expect(parsePlan(bytesOf({ plan: wrong, hash: hashJson(wrong) }))).toBeUndefined()
  })

  it('is no pipeline where a stage is of no kind', () => {
    for (const value of [null, {}, { name: 'a', stages: [] }, { name: 'a', stages: [{ uses: 'x' }] }])
      expect(() => parsePipelineText(bytesOf(value), 'p.json')).toThrow(
        /^p\.json is no pipeline \(.*\): delete it, and start the run again\.$/,
      )
    expect(() => parsePipelineText(Buffer.from('{'), 'p.json')).toThrow(/^p\.json is not JSON: .*: delete it/)
  })

  it('are no outcomes where a picture is named that the set does not have, or lists differ', () => {
    const one = Array(10).fill(0)
    const pairs = { truePresent: [0], falseAbsent: [0], falsePresent: [0], trueAbsent: [0] }
    const good = {
      ...{ images: 1, phrases: { image: [0], rank: [-1] }, categories: [] },
      pairs: { ...pairs, matched: [one], missed: [one], wrongOfPresent: [one] },
    }
    expect(parseOutcomes(good)).toEqual(good)
    expect(parseOutcomes({ ...good, phrases: { image: [1], rank: [0] } })).toMatch(/does not have/)
    expect(parseOutcomes({ ...good, phrases: { image: [0], rank: [] } })).toMatch(/different lengths/)
    expect(parseOutcomes({ ...good, images: 1e12 })).toMatch(/^images: /)
  })

  it('is no record whose result is none', async () => {
    const run = openStorage(await temporaryFolder())
    const task = { configHash: 'c', inputs: {} }
    const record = { stage: 's', ...task, result: { ap: 'x' }, seconds: 1, createdAt: '' }
    await run.write('evaluations/a.json', JSON.stringify(record))
    expect(await findRunRecord(run, 'evaluations/a.json', task)).toBeDefined()
    const isResult = (result: unknown) => typeof (result as { ap: unknown }).ap === 'number'
    expect(await findRunRecord(run, 'evaluations/a.json', task, { isResult })).toBeUndefined()
  })

  it('says of no model which files it has', async () => {
    const run = openStorage(await temporaryFolder())
    for (const files of [null, [1], { a: 1 }, 'x']) {
      await run.write('.groundmill/models/h.json', JSON.stringify({ files }))
      expect(await pinnedFiles(run, 'h'), JSON.stringify(files)).toBeUndefined()
    }
  })

  it('is a damaged checkpoint where a vector has another length', async () => {
    const path = join(await temporaryFolder(), 'checkpoint.safetensors')
    const stateOf = (size: number) =>
      emptyState([{ name: 'weights', size, slots: [], decay: true, rate: 1 }], [])
    await writeCheckpoint(path, { step: 3, hash: 'h' }, stateOf(4))
    expect(await readCheckpoint(path, 'h', stateOf(4))).toEqual({ step: 3, hash: 'h' })
    for (const size of [3, 5])
      await expect(readCheckpoint(path, 'h', stateOf(size))).rejects.toThrow(
        /value\.weights has 4 numbers, and \d are of this training\. Delete it/,
      )
  })

  it('leaves a gap in the metrics where a line is none', async () => {
    const path = join(await temporaryFolder(), 'metrics.jsonl')
    const lines = ['{"step": 1, "loss": 2}', '{"step": 2, "loss": "x"}', '7', '{"step": 3, "loss": 1}']
    await writeFile(path, lines.map((line) => `${line}\n`).join(''))
    expect((await openMetricsLog(path, 9)).lines.map(({ step }) => step)).toEqual([1, 3])
  })
})

describe('lists that are named', () => {
  it('are refused by file and place, in one line', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'a')
    await expect(readCalibration(folder)).rejects.toThrow(UserError)
    for (const text of ['{\n\n"a"', '[]', '{"version": 1}']) {
      await writeFile(path, text)
      await expect(readCalibration(path), text).rejects.toThrow(
        new RegExp(`^${path} is not (a calibration|JSON).*groundmill calibrate.\\.$`),
      )
    }
    // A warning of the parser would show the file's text as it is.
    const warned = vi.spyOn(process, 'emitWarning')
    for (const text of ['name: !x y\n', 'a: [1\n\nb: 2', '['.repeat(100_000)]) {
      await writeFile(path, text)
      await expect(readRecipe(path), text.slice(0, 9)).rejects.toThrow(new RegExp(`^${path}: not YAML: .*$`))
    }
    expect(warned).not.toHaveBeenCalled()
    await expect(readHashList(join(folder, 'none'))).rejects.toThrow(UserError)
    await writeFile(path, `0123456789abcdef a\n${'x'.repeat(2 ** 20 + 1)}\n`)
    await expect(readHashList(path)).rejects.toThrow(`${path}:2: line over 1 MiB.`)
  })
})
