import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { type AuditSummary, auditLabels, type KindSummary } from '../../src/audit/audit-labels.js'
import { auditedPictures } from '../../src/audit/audited-pictures.js'
import { readCocoTruth } from '../../src/audit/coco-truth.js'
import { drawSample, identityOf } from '../../src/audit/draw-sample.js'
import { type JudgedSummary, judgeLabels } from '../../src/audit/judge-labels.js'
import { knownHeads } from '../../src/audit/known-heads.js'
import { type PlacedLabel, placedLabels } from '../../src/audit/placed-labels.js'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { type AuditCommandOptions, audit } from '../../src/cli/audit.js'
import { labelledWorld } from '../helpers/labelled-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { some } from '../helpers/thorough.js'

const folder = await temporaryFolder()
let world: Awaited<ReturnType<typeof labelledWorld>>
beforeAll(async () => {
  world = await labelledWorld(folder, 360)
}, 480_000)

const { signal } = new AbortController()
const command = (options: Partial<AuditCommandOptions>) =>
  audit(world.web, { grounding: 'found', seed: 1, ...options }, signal)

/** What the command prints. */
async function said(options: Partial<AuditCommandOptions>): Promise<{ out: string; err: string }> {
  const texts = { out: '', err: '' }
  const into = (name: 'out' | 'err') => (text: unknown) => {
    texts[name] += String(text)
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(into('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(into('err')),
  ]
  try {
    await command(options)
    return texts
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
const figures = async <T>(options: Partial<AuditCommandOptions>): Promise<T> =>
  JSON.parse((await said({ ...options, json: true })).out) as T

const kindOf = ({ kinds }: { readonly kinds: readonly KindSummary[] }, dimension: string, kind: string) =>
  kinds.find((summary) => summary.dimension === dimension && summary.kind === kind)

let counted: ReturnType<typeof countAll> | undefined
const census = () => {
  counted ??= countAll()
  return counted
}

/** All labels of the grounding, whether each is right, and what the truth says of them together. */
async function countAll() {
  const { storage, shards } = await openDataset(world.web)
  const gold = await openDataset(world.gold)
  const known = await knownHeads({ ...gold, grounding: 'gold', phrases: 'gold' })
  const source = { storage, shards, grounding: 'found', phrases: 'words' }
  const pictures = []
  for await (const picture of auditedPictures(source, await readCocoTruth(world.truth), { known }))
    pictures.push(picture)
  const placed: PlacedLabel[] = []
  for await (const label of placedLabels(source, { known })) placed.push(label)
  const right = new Map<string, boolean | undefined>()
  const judged = pictures.flatMap(({ labels }) => labels)
  for (const [at, label] of placed.filter(({ xyxy }) => xyxy !== null).entries())
    right.set(identityOf(label), judged[at]?.right)
  return { placed, right, summary: auditLabels(pictures) }
}

describe('an audit by a truth', () => {
  it('says the same by the file of the world and by gold that was made of it', async () => {
    const { truth, ...byFile } = await figures<AuditSummary & { truth: string }>({
      truth: world.truth,
      known: world.gold,
    })
    const { truth: stage, ...byGold } = await figures<AuditSummary & { truth: string }>({
      truth: 'web',
      known: world.gold,
    })
    expect([truth, stage]).toEqual([world.truth, 'web'])
    // Gold has the phrases of its prompts as well, for which there are no labels.
    const labelled = ({ calibration, kinds }: AuditSummary) => ({
      calibration,
      kinds: kinds.flatMap(({ dimension, kind, labels, right, precision, interval, chance }) =>
        dimension.includes('telling') || labels === 0
          ? []
          : [{ dimension, kind, labels, right, precision, interval, chance }],
      ),
    })
    expect(labelled(byFile)).toEqual(labelled(byGold))
    const all = kindOf(byFile, 'all', 'all')
    expect(all?.judged).toBeGreaterThan(300)
    expect(all?.precision).toBeGreaterThan(all?.chance ?? 1)
    expect(all?.recall).toBeGreaterThan(0.3)
    const heads = ['known', 'new'].map((kind) => kindOf(byFile, 'head', kind)?.labels ?? 0)
    expect(heads[0]).toBeGreaterThan(20)
    expect(heads.reduce((sum, labels) => sum + labels, 0)).toBe(all?.labels)
    // Only the world's file says of what colour things are.
    const telling = (summary: AuditSummary) =>
      summary.kinds.filter(({ dimension }) => dimension.includes('telling')).length
    expect(telling(byFile)).toBeGreaterThan(0)
    expect(telling(byGold)).toBe(0)
  })

  it('is right of what is the truth itself', async () => {
    const perfect = await figures<AuditSummary>({ grounding: 'web', truth: world.truth })
    expect(kindOf(perfect, 'all', 'all')).toMatchObject({ precision: 1, recall: 1, phraseRecall: 1, ece: 0 })
  })

  it('is printed as a table, and kept under a name', async () => {
    const options = { truth: world.truth, known: world.gold, as: 'found-audit' }
    const { out, err } = await said(options)
    expect(out).toMatch(/^phrases by +kind +regions +right +95 % +chance/)
    expect(out).toMatch(/head\/attribute +new, colour +\d+/)
    expect(err).toMatch(/✓ found: \d+ regions, \d+ of them with truth/)
    expect((await said(options)).err).toContain('already done')
    const record = JSON.parse(await readFile(join(world.run, 'audits/found-audit.json'), 'utf8'))
    expect(Object.keys(record.inputs)).toEqual(['grounding', 'truth', 'known'])
  })

  it('says what is wrong with what it is given', async () => {
    await expect(command({})).rejects.toThrow(/one of --truth FILE or STAGE, --sample N, and --judged FILE/)
    await expect(command({ sample: 5 })).rejects.toThrow(/--sample needs --out FILE/)
    await expect(command({ truth: world.truth, out: 'x' })).rejects.toThrow(/--out goes with --sample/)
    await expect(command({ truth: join(folder, 'none.json') })).rejects.toThrow(/Cannot read .*none\.json/)
    await expect(command({ truth: world.truth, grounding: 'lost' })).rejects.toThrow(/no grounding "lost"/)
    const other = join(folder, 'other.json')
    const image = { id: 1, file_name: 'elsewhere.jpg', caption: 'a cat' }
    const box = { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 5, 5] }
    const coco = { images: [image], categories: [{ id: 1, name: 'cat' }], annotations: [box] }
    await writeFile(other, JSON.stringify(coco))
    await expect(command({ truth: other })).rejects.toThrow(/no annotation has `tokens_positive`/)
    const named = { ...coco, annotations: [{ ...box, tokens_positive: [[2, 5]] }] }
    await writeFile(other, JSON.stringify(named))
    await expect(command({ truth: other })).rejects.toThrow(/has none of the \d+ pictures/)
  })
})

describe('a sample that a person judges', () => {
  it('is read back, weighted', async () => {
    const { right, summary } = await census()
    const out = join(folder, 'sample.jsonl')
    const { err } = await said({ sample: 120, withoutBox: 30, seed: 4, known: world.gold, out })
    expect(err).toMatch(/120 regions and 30 phrases without a box, of \d+ strata/)
    const rows = (await readFile(out, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    for (const { xyxy, population, probability, stratum } of rows) {
      const drawn = rows.filter((row) => row.stratum === stratum).length
      expect(probability).toBeCloseTo(drawn / population, 12)
      expect(stratum === 'no box').toBe(xyxy === null)
    }
    const write = (judged: readonly object[]) =>
      writeFile(out, judged.map((row) => `${JSON.stringify(row)}\n`).join(''))
    await write(
      rows.map((row) => (row.xyxy ? { ...row, right: right.get(identityOf(row)), missed: 0 } : row)),
    )
    const judged = await figures<JudgedSummary>({ judged: out, known: world.gold })
    const all = kindOf(judged, 'all', 'all')
    const truth = kindOf(summary, 'all', 'all')
    expect(judged).toMatchObject({ drawn: 120, judged: 120, covered: 1, labels: truth?.labels })
    expect(Math.abs((all?.precision ?? 0) - (truth?.precision ?? 1))).toBeLessThan(0.12)
    // Phrases without a box were not counted.
    expect(all?.recall).toBeNull()
    await write(rows.map((row) => ({ ...row, missed: 1, ...(row.xyxy && { right: true }) })))
    const recalled = kindOf(await figures<JudgedSummary>({ judged: out }), 'all', 'all')
    expect(recalled?.precision).toBe(1)
    expect(recalled?.interval?.[0]).toBeLessThan(1)
    expect(recalled?.recall).toBeGreaterThan(0.2)
    expect(recalled?.recall).toBeLessThan(0.6)
    // The first third is a sample too.
    await write(rows.map((row, at) => ({ ...row, right: row.xyxy && at < 50 ? true : null })))
    expect((await figures<JudgedSummary>({ judged: out })).judged).toBeLessThanOrEqual(50)
    await write(rows)
    await expect(command({ judged: out })).rejects.toThrow(/No region of the sample is judged/)
    await write([{ ...rows[0], key: 'gone', right: true }])
    await expect(command({ judged: out })).rejects.toThrow(
      /1 of the 1 sampled regions are not in the grounding/,
    )
    await write([{ ...rows[0], population: undefined }])
    await expect(command({ judged: out })).rejects.toThrow(/sample\.jsonl:1: population/)
    await writeFile(out, '{\n')
    await expect(command({ judged: out })).rejects.toThrow(/sample\.jsonl:1 is not JSON/)
  })

  it('gives intervals that hold what judging all would give, in 93 of 100', {
    timeout: 480_000,
  }, async () => {
    const { placed, right, summary } = await census()
    const usual: readonly (readonly [dimension: string, kind: string])[] = [
      ['all', 'all'],
      ['head', 'known'],
      ['head', 'new'],
      ['attribute', 'colour'],
      ['attribute', 'none'],
      ['number', 'singular'],
      ['tail', 'none'],
      ['head/attribute', 'new/colour'],
    ]
    const drawings = 100
    for (const labels of some([100], [100, 200])) {
      const held = usual.map(() => ({ precision: 0, ece: 0 }))
      const shares = usual.map(() => 0)
      for (let seed = 0; seed < drawings; seed++) {
        const rows = await drawSample(placed, { labels, withoutBox: 0, seed })
        const judged = rows.map((row) => ({
          ...row,
          xyxy: row.xyxy && [...row.xyxy],
          right: right.get(identityOf(row)),
        }))
        const sampled = await judgeLabels(judged as never, placed)
        for (const [at, [dimension, kind]] of usual.entries()) {
          const own = kindOf(sampled, dimension, kind)
          const truth = kindOf(summary, dimension, kind)
          const hold = held[at]
          if (!own?.interval || !hold || truth?.precision == null || truth.ece === null) continue
          shares[at] = (shares[at] ?? 0) + (own.precision ?? 0) / drawings
          if (own.interval[0] <= truth.precision && truth.precision <= own.interval[1]) hold.precision++
          const [low, high] = own.eceInterval ?? [0, 1]
          if (low <= truth.ece && truth.ece <= high) hold.ece++
        }
      }
      for (const [at, [dimension, kind]] of usual.entries()) {
        const what = `${labels} ${dimension} ${kind}`
        expect(held[at]?.precision, what).toBeGreaterThanOrEqual(0.93 * drawings)
        expect(held[at]?.ece, what).toBeGreaterThanOrEqual(0.93 * drawings)
        expect(shares[at], what).toBeCloseTo(kindOf(summary, dimension, kind)?.precision ?? 2, 1)
      }
    }
  })
})
