import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { drawnPicture } from '../../bench/edited-copies.js'
import { random } from '../../src/base/random.js'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import type { ImageRow, SelectionRow } from '../../src/rows/rows.js'
import { type CommitRecord, readCommit, textOf } from '../../src/shards/commit.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { imageServer } from '../helpers/image-server.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

/** A picture of blocks of grey, drawn by a seed, so that different seeds have far hashes. */
async function picture(seed: number, change: { quality?: number; width?: number } = {}): Promise<Buffer> {
  const draw = random(seed, 'picture')
  const grey = Uint8Array.from({ length: 72 }, () => draw.integer(256))
  const raw = sharp(grey, { raw: { width: 9, height: 8, channels: 1 } })
  const large = await raw
    .resize(change.width ?? 180, 160, { kernel: 'nearest', fit: 'fill' })
    .toColourspace('srgb')
    .png()
    .toBuffer()
  return sharp(large)
    .jpeg({ quality: change.quality ?? 95 })
    .toBuffer()
}

const bytes: Record<string, Buffer> = {}
for (let seed = 0; seed < 6; seed++) bytes[`/${seed}.jpg`] = await picture(seed)
bytes['/0-again.jpg'] = bytes['/0.jpg']
bytes['/1-small.jpg'] = await picture(1, { quality: 70, width: 120 })
const { url } = await imageServer(
  Object.fromEntries(Object.keys(bytes).map((path) => [path, (_, response) => response.end(bytes[path])])),
)

/** Two rows a shard; 5 is in the evaluation set. */
const rows = ['0', '1', '2', '0', '0-again', '1-small', '3', 'gone', '5', '4', '5', '2']
const wanted = [
  [null, null],
  [null, null],
  [null, null],
  ['duplicate_url', '000000000'],
  ['duplicate_bytes', '000000000'],
  ['near_duplicate', '000000001'],
  [null, null],
  ['contaminated', 'held 000000000'],
  [null, null],
  ['contaminated', 'held 000000000'],
  ['duplicate_url', '000010000'],
]
const pipelineOf = (needs: string, config: string) => `
name: dedup
stages:
  - name: held
    uses: ingest
    with: { format: folder, path: "${folder}/held" }
  - name: web
    uses: ingest
    with: { format: tsv, path: "${folder}/pairs.tsv", shard_size: 2, base_url: "${url}/", fetch: { retries: 0, timeout_ms: 30000, allow_hosts: ['${url}'] } }
  - name: dedup
    uses: dedup
    needs: [${needs}]
    with: ${config}
  - name: phrases
    uses: chunk
    needs: [dedup]
`

beforeAll(async () => {
  await mkdir(join(folder, 'held'))
  await writeFile(join(folder, 'held', 'five.jpg'), bytes['/5.jpg'])
  await writeFile(join(folder, 'held', 'five.txt'), 'held out')
  await writeFile(
    join(folder, 'pairs.tsv'),
    `url\tcaption\n${rows.map((name) => `${name}.jpg\ta red dog`).join('\n')}\n`,
  )
  await writeFile(join(folder, 'dedup.yaml'), pipelineOf('web, held', '{ distance: 4, against: [held] }'))
})

const run = async (name: string, file = 'dedup') =>
  runPipeline(await readPipeline(join(folder, `${file}.yaml`)), join(folder, name))

async function selectionOf(name: string): Promise<SelectionRow[]> {
  const storage = openStorage(join(folder, name, 'web'))
  const all: SelectionRow[] = []
  for (let shard = 0; shard < rows.length / 2; shard++) {
    for await (const row of readShard(storage, 'selection', 'dedup', `0000${shard}`))
      all.push(row as SelectionRow)
  }
  return all
}
const verdicts = (selection: readonly SelectionRow[]) =>
  selection.map(({ reason, duplicate_of }) => [reason, duplicate_of])

describe('deduplication', () => {
  it('names the earliest picture that is kept, and later stages leave the others alone', async () => {
    expect((await run('run')).failed).toBe(0)
    expect(verdicts(await selectionOf('run'))).toEqual(wanted)
    const storage = openStorage(join(folder, 'run', 'web'))
    const funnel = await datasetFunnel(storage)
    expect(
      funnel.map(({ stage, unit, in: given, out, rejected }) => [stage, unit, given, out, rejected]),
    ).toEqual([
      ['web', 'pairs', 12, 11, { http_404: 1 }],
      [
        'dedup',
        'images',
        11,
        5,
        { contaminated: 2, duplicate_bytes: 1, duplicate_url: 2, near_duplicate: 1 },
      ],
      ['phrases', 'captions', 5, 5, {}],
    ])
    const phrases: number[] = []
    for (let shard = 0; shard < 6; shard++) {
      for await (const row of readShard(storage, 'phrases', 'phrases', `0000${shard}`))
        phrases.push(row.phrases.length)
    }
    expect(phrases).toEqual(wanted.map(([reason]) => (reason === null ? 1 : 0)))
    expect([...(await run('run')).outcomes.values()].map(({ ran }) => ran)).toEqual([0, 0, 0, 0])
  })

  it('comes out the same whichever shards are made anew', async () => {
    const before = await selectionOf('run')
    const storage = openStorage(join(folder, 'run', 'web'))
    for (const shards of [['00002'], ['00004', '00001'], ['00000', '00005']]) {
      for (const shard of shards) await storage.remove(`selection/dedup/${shard}.json`)
      const { outcomes } = await run('run')
      expect(outcomes.get('dedup')?.ran).toBe(shards.length)
      expect(await selectionOf('run')).toEqual(before)
    }
  })

  it('finds edited copies, and says where pictures have no fingerprints', async () => {
    const pair = join(folder, 'pair')
    await mkdir(pair)
    const scene = await drawnPicture(1)
    const edited = await sharp(scene).flop().extract({ left: 9, top: 3, width: 300, height: 230 }).jpeg()
    await writeFile(join(pair, 'a.jpg'), scene)
    await writeFile(join(pair, 'b.jpg'), await edited.toBuffer())
    for (const name of ['a', 'b']) await writeFile(join(pair, `${name}.txt`), 'a red dog')
    const yaml = (config: string) => `
name: pair
stages:
  - { name: web, uses: ingest, with: { format: folder, path: "${pair}" } }
  - { name: dedup, uses: dedup, needs: [web], with: ${config} }
`
    const sumsOf = async (config: string) => {
      await writeFile(join(folder, 'pair.yaml'), yaml(config))
      const { outcomes } = await run('pair-run', 'pair')
      const record = await readCommit(
        openStorage(join(folder, 'pair-run', 'web')),
        'selection',
        'dedup',
        '00000',
      )
      return { rejected: record?.rejected, warnings: outcomes.get('dedup')?.warnings }
    }
    expect(await sumsOf('{}')).toEqual({ rejected: { near_duplicate: 1 }, warnings: [] })
    expect(await sumsOf('{ mirrored: false }')).toEqual({ rejected: {}, warnings: [] })
    const storage = openStorage(join(folder, 'pair-run', 'web'))
    const rows: ImageRow[] = []
    for await (const row of readShard(storage, 'images', null, '00000'))
      rows.push({ ...row, fingerprint: null } as ImageRow)
    const { stage, configHash, inputs } = (await readCommit(storage, 'images', null, '00000')) as CommitRecord
    await putShard(storage, 'images', null, '00000', rows)
    const put = (await readCommit(storage, 'images', null, '00000')) as CommitRecord
    await storage.write('images/00000.json', textOf({ ...put, stage, configHash, inputs }))
    const without = await sumsOf('{}')
    expect(without.rejected).toEqual({})
    expect(without.warnings).toEqual([expect.stringContaining('have no fingerprint')])
  })

  it('looks only for what it is told to', async () => {
    const hashes = join(folder, 'hashes.txt')
    const { phash } = await firstOf(join(folder, 'run', 'held'))
    await writeFile(hashes, `# of a test set\n\n${phash.toUpperCase()} the fifth\nffffffffffffffff\n`)
    const config = `{ url: false, bytes: false, distance: null, against: [${hashes}] }`
    await writeFile(join(folder, 'list.yaml'), pipelineOf('web', config))
    await cp(join(folder, 'run'), join(folder, 'list'), { recursive: true })
    expect((await run('list', 'list')).failed).toBe(0)
    const contaminated = ['contaminated', `${hashes} the fifth`]
    expect(verdicts(await selectionOf('list'))).toEqual(
      wanted.map(([reason]) => (reason === 'contaminated' ? contaminated : [null, null])),
    )
  })

  it('judges anew what lies behind a picture that has changed, and only that', async () => {
    const storage = openStorage(join(folder, 'run', 'web'))
    const before = await readCommit(storage, 'selection', 'dedup', '00000')
    await storage.remove('images/00001.json')
    const kept = bytes['/2.jpg']
    bytes['/2.jpg'] = await picture(77)
    try {
      const { outcomes } = await run('run')
      expect(outcomes.get('dedup')).toMatchObject({ ran: 5, skipped: 1 })
      expect(await readCommit(storage, 'selection', 'dedup', '00000')).toEqual(before)
    } finally {
      bytes['/2.jpg'] = kept
    }
  })

  it('thins the gold of a source with boxes', async () => {
    const listed = ['a', 'b', 'c'].map((name, id) => ({ id, file_name: `${name}.jpg` }))
    await mkdir(join(folder, 'gold'))
    for (const [index, seed] of [0, 1, 0].entries())
      await writeFile(join(folder, 'gold', listed[index].file_name), bytes[`/${seed}.jpg`])
    const annotations = listed.map(({ id }) => ({ image_id: id, category_id: 1, bbox: [0, 0, 50, 50] }))
    const instances = join(folder, 'instances.json')
    await writeFile(
      instances,
      JSON.stringify({ images: listed, annotations, categories: [{ id: 1, name: 'dog' }] }),
    )
    const yaml = `
name: gold
stages:
  - name: gold
    uses: ingest
    with: { format: coco, images: "${folder}/gold", instances: "${instances}" }
  - name: thin
    uses: dedup
    needs: [gold]
`
    await writeFile(join(folder, 'gold.yaml'), yaml)
    await runPipeline(await readPipeline(join(folder, 'gold.yaml')), join(folder, 'thinned'))
    const storage = openStorage(join(folder, 'thinned', 'gold'))
    const regions: number[] = []
    for await (const row of readShard(storage, 'grounding', 'thin', '00000')) regions.push(row.regions.length)
    expect(regions).toEqual([1, 1, 0])
    const exhaustive: boolean[] = []
    for await (const row of readShard(storage, 'negatives', 'thin', '00000')) exhaustive.push(row.exhaustive)
    expect(exhaustive).toEqual(regions.map((count) => count > 0))
    const record = await readCommit(storage, 'phrases', 'thin', '00000')
    expect(record?.main).toBe('selection')
    expect((await readFile(storage.path(record?.files.phrases?.path as string))).length).toBeGreaterThan(0)
  })

  it('says which set it does not know', async () => {
    await writeFile(join(folder, 'none.yaml'), pipelineOf('web', '{ against: [nowhere] }'))
    await expect(run('list', 'none')).rejects.toThrow(
      /against: "nowhere" is neither a stage that it needs, nor a dataset, nor a file of hashes/,
    )
    const bad = join(folder, 'bad.txt')
    await writeFile(bad, 'ffffffffffffffff\nnot-a-hash\n')
    await writeFile(join(folder, 'none.yaml'), pipelineOf('web', `{ against: [${bad}] }`))
    await expect(run('list', 'none')).rejects.toThrow(/bad\.txt:2: 16 hex digits were expected/)
  })
})

async function firstOf(dataset: string): Promise<ImageRow> {
  for await (const row of readShard(openStorage(dataset), 'images', null, '00000')) return row as ImageRow
  throw new Error(`${dataset} has no pictures`)
}
