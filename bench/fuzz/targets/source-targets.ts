import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { ingestConfig } from '../../../src/ingest/config.js'
import { openSource } from '../../../src/ingest/open-source.js'
import { planIngest } from '../../../src/ingest/plan-ingest.js'
import { sourceSamples } from '../../../test/helpers/source-samples.js'
import { rawZstd } from '../layers.js'
import { type FuzzTarget, filesBelow, textSample } from '../target.js'

/** More rows than any sample has: more come of bytes that were doubled. */
const mostRows = 3000

async function readSource(given: object): Promise<void> {
  const source = await openSource(ingestConfig.parse(given))
  try {
    await planIngest(source)
    let rows = 0
    for await (const _ of source.rows()) if (++rows === mostRows) break
  } finally {
    await source.close()
  }
}

/** Of what is so short that any change of it spoils it. */
const moreSamples: Readonly<Record<string, readonly Uint8Array[]>> = {
  'yolo/data.yaml': [
    textSample(`# A dataset as Roboflow writes it, with what nobody reads here.
path: ''
train: [images, ./images]
val: images
test: null
nc: 3
names: {0: dog, 1: 'a red car', 2: "caf\u00e9"}
kpt_shape: [17, 3]
roboflow: {workspace: w, project: p, version: 1, license: CC BY 4.0, url: 'https://example.org/p/1'}
`),
    textSample('train: images\nval: images\nnc: 2\nnames:\n  - dog\n  - cat\n\n# the end of it\n'),
  ],
}

/** One target for each kind of file of each source: of many files alike (labels, XML) the first. */
export async function sourceTargets(folder: string): Promise<FuzzTarget[]> {
  const samples = await sourceSamples(folder)
  const targets: FuzzTarget[] = []
  for (const [name, given] of Object.entries(samples)) {
    const named = Object.entries(given).filter(
      ([key, value]) => typeof value === 'string' && value.startsWith(folder) && key !== 'images',
    ) as [string, string][]
    if (name === 'glip-tsv') named.push(['images', (given as unknown as { images: string }).images])
    const kinds = new Map<string, string>()
    for (const [, path] of named)
      for (const file of await filesBelow(path)) {
        const kind = relative(folder, file).replace(/\d+/g, 'N')
        if (!kinds.has(kind)) kinds.set(kind, file)
      }
    for (const [kind, path] of kinds) {
      // What a picture holds is for the readers of pictures.
      if (/\.jpg$/.test(kind)) continue
      targets.push({
        name: `source ${name}: ${basename(kind)}`,
        samples: [await readFile(path), ...(moreSamples[kind] ?? [])],
        file: path,
        read: () => readSource(given),
      })
    }
  }
  targets.push(...(await metadataTargets(join(folder, 'metadata'))))
  const { path: pairs } = samples.jsonl as unknown as { path: string }
  const packed = join(folder, 'packed.jsonl.zst')
  targets.push({
    name: 'source jsonl in zstd: packed.jsonl.zst',
    samples: [rawZstd(await readFile(pairs))],
    file: packed,
    read: () => readSource({ format: 'jsonl', path: packed }),
  })
  return targets
}

/** The lists of a folder of pictures. */
async function metadataTargets(folder: string): Promise<FuzzTarget[]> {
  const csv = `file_name,caption,id,by
a.jpg,"a dog, ""brown""",7,me
deep\\b.jpg,a cat,8,

c d.jpg,"two
lines",9,you
`
  const objects = [
    { file_name: 'a.jpg', text: 'a dog', id: 7, by: 'me' },
    { file_name: './deep/b.jpg', text: ['a cat', '', 'a cat'], id: 2 ** 53, by: null },
    { file_name: 'metadata/c%20d.jpg', text: 'caf\u00e9', id: 'x', by: 'you' },
  ]
  const parquet = join(folder, 'rows.parquet')
  const read = (given: object) => readSource({ format: 'folder', path: folder, ...given })
  const kinds = { id: 'id', license: 'by', meta: ['by'] }
  await mkdir(join(folder, 'deep'), { recursive: true })
  for (const name of ['a.jpg', 'deep/b.jpg', 'c d.jpg']) await writeFile(join(folder, name), 'x')
  const db = await (await DuckDBInstance.create()).connect()
  const values =
    "('a.jpg', ['a dog', ''], 7, 'me'), ('deep/b.jpg', ['a cat'], 8, NULL), ('no.jpg', NULL, 9, '')"
  await db.run(
    `COPY (SELECT * FROM (VALUES ${values}) t(file_name, captions, id, "by")) TO '${parquet}' (FORMAT parquet)`,
  )
  const packed = await readFile(parquet)
  await rm(parquet)
  db.closeSync()
  const lists: readonly (readonly [string, Uint8Array])[] = [
    ['metadata.jsonl', textSample(objects.map((one) => `${JSON.stringify(one)}\n`).join(''))],
    ['metadata.csv', textSample(csv)],
    ['metadata.parquet', packed],
  ]
  return lists.map(([name, sample]) => ({
    name: `source folder: ${name}`,
    samples: [sample],
    file: join(folder, name),
    async read() {
      await read({ columns: kinds })
      await read({ names: ['dog'], part: { from: 0.2 } })
    },
  }))
}
