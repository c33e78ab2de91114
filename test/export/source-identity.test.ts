import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import { type ExportFormat, exportFormats } from '../../src/export/config.js'
import { pictureNames } from '../../src/export/picture-names.js'
import { sourceIdentity } from '../../src/export/source-identity.js'
import { exportTo, groundedDataset, type PictureSpec } from '../helpers/grounded-dataset.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
const fresh = () => join(folder, String(count++))

const picture = (meta: object | null, url: string | null = null): PictureSpec => ({
  captions: [{ text: 'a dog. a cat', kind: 'categories' }],
  regions: [{ caption: 0, start: 0, end: 5, xyxy: [1, 2, 30, 40], score: 1, origin: 'gold' }],
  meta: meta && JSON.stringify(meta),
  url,
})

/** What sources call pictures; some of it means harm, some is the same to some file system. */
const shards: readonly (readonly PictureSpec[])[] = [
  [
    picture({ id: 139, file_name: '000000000139.jpg' }),
    picture({ id: 7, file_name: 'train/Dog.JPG' }),
    picture({ id: 8, file_name: 'val/dog.png' }),
    picture({ id: 9, file_name: '../../etc/passwd' }),
    picture({ id: 10, file_name: 'C:\\photos\\con.jpg' }),
  ],
  [
    picture({ id: 11, file_name: 'a/../dog.webp' }),
    picture({ id: 12, file_name: `${'é'.repeat(200)}.jpg` }),
    picture({ id: 13, file_name: 'v1.5.jpg' }),
    picture({ id: 14, file_name: 'v1_5.jpg' }),
    picture({ id: 15, file_name: '日本 "x"\n.jpg' }),
    picture({ key: 'tar/000123' }),
    picture({ id: 'not a number' }),
    picture(null, 'http://host.example/pictures/1.jpg'),
    picture(null),
  ],
]
const given = shards.flat().map(({ meta = null, url = null }) => sourceIdentity({ meta, url }))

describe.each([...exportFormats])('an export as %s', (format) => {
  it('keeps what the source calls its pictures, when it is read back', async () => {
    const source = await groundedDataset(fresh(), shards)
    const out = fresh()
    const { report } = await exportTo(source, out, { format, ...classesOf(format) })
    const stage = Object.values(report.ingest).at(-1) as object
    const { images, rejects } = await ingestAll(fresh(), stage)
    expect(rejects).toEqual([])
    expect(images).toHaveLength(given.length)
    const known = given.filter(({ sourceId }) => sourceId !== null)
    const back = new Map(images.map(({ meta, url }) => [JSON.stringify(sourceIdentity({ meta, url })), 1]))
    for (const identity of known) expect([...back.keys()]).toContain(JSON.stringify(identity))
  })
})

const classesOf = (format: ExportFormat) => (format === 'yolo' ? { classes: 'categories' } : {})

describe('names of pictures', () => {
  it('are those of the source where they are safe and its own, else with the key', async () => {
    const source = await groundedDataset(fresh(), shards)
    const out = fresh()
    await exportTo(source, out, { format: 'yolo' })
    const files = (await readdir(out, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(out.length + 1))
    const long = 'é'.repeat(30)
    const names = [
      ...['000000000139', 'Dog_000000001', 'dog_000000002', 'passwd', '_con'].map((name) => `00000/${name}`),
      ...['dog_000010000', `${long}_000010001`, 'v1.5_000010002', 'v1_5_000010003', '日本_x'].map(
        (name) => `00001/${name}`,
      ),
      ...['000123', '000010006', '000010007', '000010008'].map((name) => `00001/${name}`),
    ]
    expect(files.filter((name) => name.startsWith('images/')).sort()).toEqual(
      names.map((name) => `images/train/${name}.jpg`).sort(),
    )
    expect(files.filter((name) => name.startsWith('labels/')).sort()).toEqual(
      names.map((name) => `labels/train/${name}.txt`).sort(),
    )
    const lines = (await readFile(join(out, 'metadata.jsonl'), 'utf8')).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))[0]).toEqual({
      ...{
        file_name: 'images/train/00000/000000000139.jpg',
        source_id: '139',
        source_name: '000000000139.jpg',
      },
    })
  })

  it('differ though a source names one as another is mended', async () => {
    const rows = ['a.jpg', 'b/A.jpg', 'a_000000000.png'].map((file_name) => picture({ file_name }))
    const source = await groundedDataset(fresh(), [rows])
    const names = await pictureNames(source, [{ shard: '00000', rows: 3, hashes: [] }])
    expect(names.areNumbered).toBe(false)
    const called = rows.map(({ meta = null }, at) =>
      names.nameOf({ key: `00000000${at}`, ...sourceIdentity({ meta, url: null }) }),
    )
    expect(called).toEqual(['a_000000000_', 'A_000000001', 'a_000000000'])
  })
})

describe('ids of COCO', () => {
  const read = async (out: string, name: string) => JSON.parse(await readFile(join(out, name), 'utf8'))

  it('are those of the source where every picture has a number of its own', async () => {
    const rows = [139, 7, 0].map((id) => picture({ id, file_name: `${id}.jpg` }, `http://h/${id}.jpg`))
    const out = fresh()
    await exportTo(await groundedDataset(fresh(), [rows]), out, { format: 'coco' })
    const { images, annotations } = await read(out, 'instances.json')
    expect(
      images.map(({ id, file_name, coco_url }: Record<string, unknown>) => [id, file_name, coco_url]),
    ).toEqual([
      [139, 'images/00000/139.jpg', 'http://h/139.jpg'],
      [7, 'images/00000/7.jpg', 'http://h/7.jpg'],
      [0, 'images/00000/0.jpg', 'http://h/0.jpg'],
    ])
    expect(annotations.map(({ image_id }: { image_id: number }) => image_id)).toEqual([139, 7, 0])
  })

  it('are counted where one has none, or two are the same', async () => {
    for (const last of [{ id: 139 }, { id: 'x' }, { id: 2 ** 53 }]) {
      const out = fresh()
      const rows = [picture({ id: 139 }), picture({ id: 7 }), picture(last)]
      await exportTo(await groundedDataset(fresh(), [rows]), out, { format: 'coco' })
      const { images } = await read(out, 'instances.json')
      expect(images.map(({ id }: { id: number }) => id)).toEqual([1, 2, 3])
      expect(images[0].source_id).toBe('139')
    }
  })
})

it('Hugging Face and DuckDB read ids and names as columns', async () => {
  const out = fresh()
  await exportTo(await groundedDataset(fresh(), shards), out, { format: 'hf' })
  const db = await (await DuckDBInstance.create()).connect()
  const read = await db.runAndReadAll(
    `SELECT source_id, file_name, url, image.path AS path FROM '${out}/data/*.parquet' ORDER BY key`,
  )
  expect(
    read
      .getRowObjectsJson()
      .map(({ source_id, file_name }) => ({ sourceId: source_id, sourceName: file_name })),
  ).toEqual(given)
  expect(read.getRowObjectsJson()[0]).toMatchObject({ path: '000000000139.jpg' })
  const card = await readFile(join(out, 'README.md'), 'utf8')
  expect(card).toContain('  - name: source_id\n    dtype: string\n')
})
