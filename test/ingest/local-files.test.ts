import { execFileSync } from 'node:child_process'
import { mkdir, open, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Field, Schema, Utf8 } from 'apache-arrow'
import sharp from 'sharp'
import { afterAll, describe, expect, it } from 'vitest'
import { readData } from '../../src/base/files/read-file.js'
import { readRegularFile } from '../../src/base/files/regular-file.js'
import { parquetChunks } from '../../src/parquet/parquet-chunks.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** A folder of somebody's, what it may lead to outside of it, and what is no file in it. */
const folder = await temporaryFolder()
const set = join(folder, 'set')
const images = join(set, 'images')
await mkdir(images, { recursive: true })
const picture = (background: string) =>
  sharp({ create: { width: 40, height: 20, channels: 3, background } })
    .jpeg()
    .toBuffer()
await writeFile(join(folder, 'private.jpg'), await picture('#c33'))
await writeFile(join(set, 'beside.jpg'), await picture('#cc3'))
await writeFile(join(images, 'good.jpg'), await picture('#33c'))
await symlink('good.jpg', join(images, 'inner.jpg'))
await symlink('../../private.jpg', join(images, 'link.jpg'))
await symlink('../..', join(images, 'up'))
await symlink('/dev/zero', join(images, 'zero.jpg'))
await mkdir(join(images, 'folder.jpg'))
execFileSync('mkfifo', [join(images, 'pipe.jpg')])
const server = createServer()
await new Promise<void>((done) => server.listen(join(images, 'socket.jpg'), done))
afterAll(() => server.close())
const large = await open(join(images, 'large.jpg'), 'w')
await large.truncate(2 ** 40)
await large.close()

/** What becomes of a picture of each name: by default, and where files may lie outside. */
const fates: Readonly<Record<string, readonly [string, string]>> = {
  'good.jpg': ['row', 'row'],
  'inner.jpg': ['row', 'row'],
  '../../private.jpg': ['outside_folder', 'row'],
  'link.jpg': ['outside_folder', 'row'],
  'up/private.jpg': ['outside_folder', 'row'],
  'zero.jpg': ['outside_folder', 'not_a_file'],
  'folder.jpg': ['not_a_file', 'not_a_file'],
  'pipe.jpg': ['not_a_file', 'not_a_file'],
  'socket.jpg': ['not_a_file', 'not_a_file'],
  'large.jpg': ['too_large', 'too_large'],
  'none.jpg': ['missing_file', 'missing_file'],
}
const names = Object.keys(fates)
const box = (id: number) => ({ id, image_id: id, category_id: 1, bbox: [1, 1, 9, 9], ann_id: id })

let count = 0
async function file(ending: string, value: object | string | Uint8Array): Promise<string> {
  const path = join(set, `file-${count++}${ending}`)
  const isText = typeof value === 'string' || value instanceof Uint8Array
  await writeFile(path, isText ? (value as string) : JSON.stringify(value))
  return path
}
const instances = await file('.json', {
  images: names.map((file_name, index) => ({ id: index + 1, file_name })),
  annotations: names.map((_, index) => box(index + 1)),
  categories: [{ id: 1, name: 'cat' }],
})
async function parquetFile(): Promise<string> {
  const named = new Schema(['file', 'caption'].map((name) => new Field(name, new Utf8(), true)))
  const parts: Uint8Array[] = []
  // Paths of a Parquet file start from its own folder.
  const path = (name: string) => (name.startsWith('..') ? name.slice(3) : `images/${name}`)
  const rows = names.map((name) => ({ file: path(name), caption: 'a cat' }))
  for await (const part of parquetChunks(named, new Set(), rows)) parts.push(part)
  return file('.parquet', Buffer.concat(parts))
}
const lines = (values: readonly object[]) => values.map((value) => JSON.stringify(value)).join('\n')
const id = (name: string) => name.replace(/\.jpg$/, '')

const tableOf = (mark: string) =>
  [`url${mark}caption`, ...names.map((name) => `${name}${mark}a cat`)].join('\n')

/** Each source that reads files which its data name, of the pictures above. */
const configs: Readonly<Record<string, () => Promise<object>>> = {
  coco: async () => ({ format: 'coco', images, instances }),
  refcoco: async () => ({
    format: 'refcoco',
    images,
    instances,
    path: await file('.json', [
      ...names.map((_, index) => ({
        ann_id: index + 1,
        image_id: index + 1,
        split: 'val',
        sentences: ['a cat'],
      })),
    ]),
  }),
  odvg: async () => ({
    format: 'odvg',
    images,
    path: await file(
      '.jsonl',
      lines(
        names.map((filename) => ({
          filename,
          width: 40,
          height: 20,
          detection: { instances: [{ bbox: [1, 1, 9, 9], category: 'cat' }] },
        })),
      ),
    ),
  }),
  'csv-regions': async () => ({
    format: 'csv-regions',
    images,
    path: await file(
      '.csv',
      [
        'key,file_name,caption,text,start,end,x1,y1,x2,y2',
        ...names.map((name, index) => `${index},${name},0,a cat,0,5,1,1,9,9`),
      ].join('\n'),
    ),
  }),
  saco: async () => ({
    format: 'saco',
    images,
    path: await file('.json', {
      images: names.map((file_name, index) => ({ id: index, file_name, text_input: 'cat' })),
      annotations: names.map((_, index) => ({ image_id: index, bbox: [0.1, 0.1, 0.5, 0.5] })),
    }),
  }),
  openimages: async () => ({
    format: 'openimages',
    images,
    classes: await file('.csv', '/m/1,Cat'),
    path: await file(
      '.csv',
      [
        'ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf',
        ...names.map((name) => `${id(name)},/m/1,0.1,0.5,0.1,0.5,0`),
      ].join('\n'),
    ),
  }),
  'visual-genome': async () => ({
    format: 'visual-genome',
    images,
    path: await file(
      '.json',
      names.map((name) => ({
        id: id(name),
        regions: [{ phrase: 'a cat', x: 1, y: 1, width: 9, height: 9 }],
      })),
    ),
  }),
  parquet: async () => ({ format: 'parquet', path: await parquetFile(), columns: { image: 'file' } }),
  'parquet of names': async () => {
    const schema = new Schema(['url', 'caption'].map((name) => new Field(name, new Utf8(), true)))
    const parts: Uint8Array[] = []
    const rows = names.map((url) => ({ url, caption: 'a cat' }))
    for await (const part of parquetChunks(schema, new Set(), rows)) parts.push(part)
    return { format: 'parquet', images, path: await file('.parquet', Buffer.concat(parts)) }
  },
  tsv: async () => ({ format: 'tsv', images, path: await file('.tsv', tableOf('\t')) }),
  csv: async () => ({ format: 'csv', base_url: images, path: await file('.csv', tableOf(',')) }),
  jsonl: async () => ({
    format: 'jsonl',
    base_url: pathToFileURL(images).href,
    path: await file('.jsonl', lines(names.map((url) => ({ url, caption: 'a cat' })))),
  }),
  json: async () => ({
    format: 'json',
    images,
    path: await file(
      '.json',
      names.map((url) => ({ url: url.replaceAll('/', '\\'), caption: 'a cat' })),
    ),
  }),
  'coco with a base': async () => ({ format: 'coco', base_url: images, instances }),
}

/** How often something came in, and each reason for which it did not. */
async function outcomes(config: object) {
  const { images: rows, rejects } = await ingestAll(join(folder, `dataset-${count++}`), config)
  const all = [...rows.map(() => 'row'), ...rejects.map(({ reason }) => reason)]
  return all.sort()
}

describe('a picture that the data name', () => {
  it.each(Object.keys(configs))('of %s lies in the folder and is a file of bounded size', async (name) => {
    const config = await (configs[name] as () => Promise<object>)()
    const [inside, anywhere] = [0, 1].map((index) =>
      Object.values(fates)
        .map((fate) => fate[index])
        .sort(),
    )
    expect(await outcomes(config)).toEqual(inside)
    expect(await outcomes({ ...config, outside: true })).toEqual(anywhere)
  })

  it('says what there is to do', async () => {
    const config = { format: 'coco', images, instances }
    const { rejects } = await ingestAll(join(folder, 'said'), config)
    const detailOf = (reason: string) => rejects.find((reject) => reject.reason === reason)?.detail
    expect(detailOf('outside_folder')).toContain('say outside: true in the source')
    expect(detailOf('too_large')).toContain('large.jpg has more than 500000 bytes')
    expect(detailOf('not_a_file')).toContain('zero.jpg'.replace('zero', 'folder'))
  })

  it('may have a whole path', async () => {
    const whole = await file('.json', {
      images: [
        { id: 1, file_name: join(images, 'good.jpg') },
        { id: 2, file_name: join(folder, 'private.jpg') },
      ],
      annotations: [box(1), box(2)],
      categories: [{ id: 1, name: 'cat' }],
    })
    const config = { format: 'coco', images, instances: whole }
    expect(await outcomes(config)).toEqual(['missing_file', 'row'])
    expect(await outcomes({ ...config, outside: true })).toEqual(['row', 'row'])
  })

  it('is named in a list as it may be, and lies in the folder all the same', async () => {
    const own = join(images, 'good.jpg')
    const ways = [
      own,
      pathToFileURL(own).href,
      './good.jpg',
      'images/good.jpg',
      'images/../good.jpg',
      '%67ood.jpg',
    ]
    const wrong: Readonly<Record<string, string>> = {
      [join(folder, 'private.jpg')]: 'outside_folder',
      [pathToFileURL(join(folder, 'private.jpg')).href]: 'outside_folder',
      'file://host/good.jpg': 'bad_url',
      'ftp://host/good.jpg': 'bad_url',
      'C:\\photos\\good.jpg': 'missing_file',
    }
    const urls = [...ways, ...Object.keys(wrong)]
    const path = await file('.tsv', ['url\tcaption', ...urls.map((url) => `${url}\ta cat`)].join('\n'))
    const { images: rows, rejects } = await ingestAll(join(folder, 'ways'), { format: 'tsv', path, images })
    expect(rows.map(({ url, meta }) => [url, JSON.parse(meta ?? '').file_name])).toEqual(
      ways.map((way) => [null, way]),
    )
    expect(rejects.map(({ reason }) => reason)).toEqual(Object.values(wrong))
  })

  it('lies in a folder that is a link itself', async () => {
    await symlink(images, join(folder, 'linked'))
    const config = { format: 'coco', images: join(folder, 'linked'), instances }
    const fated = Object.values(fates).map(([fate]) => fate)
    // What leads up from its name leads nowhere.
    fated[names.indexOf('../../private.jpg')] = 'missing_file'
    expect(await outcomes(config)).toEqual(fated.sort())
  })
})

describe('a folder of somebody', () => {
  async function made(name: string, files: Readonly<Record<string, string | Uint8Array>>) {
    const root = join(folder, name)
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(root, path, '..'), { recursive: true })
      await writeFile(join(root, path), content)
    }
    return root
  }
  const yaml = 'names: [cat]\n'
  const row = '0 0.5 0.5 0.2 0.2\n'

  it('of YOLO has its pictures, lists and labels in it', async () => {
    const jpeg = await picture('#3c3')
    const root = await made('yolo', {
      'data.yaml': `${yaml}train: images\nval: list.txt\ntest: ../set/images\nback: ../yolo/images\nsecret: ../secret.txt\n`,
      'images/a.jpg': jpeg,
      'images/c.jpg': jpeg,
      'labels/a.txt': row,
      'list.txt': `images/a.jpg\n${join(folder, 'yolo', 'images', 'a.jpg')}\n../private.jpg\n`,
      '../secret.txt': 'a secret',
    })
    await symlink('../../private.jpg', join(root, 'images', 'b.jpg'))
    await symlink('../../secret.txt', join(root, 'labels', 'c.txt'))
    const config = { format: 'yolo', path: root }
    expect(await outcomes(config)).toEqual(['outside_folder', 'outside_folder', 'row'])
    const listed = await outcomes({ ...config, split: 'val' })
    expect(listed).toEqual(['outside_folder', 'row', 'row'])
    await expect(rowsOf({ ...config, split: 'test' })).rejects.toThrow(
      /test: ?.*|\.\.\/set\/images .* is not in the folder of the file.*say outside: true/,
    )
    await expect(rowsOf({ ...config, split: 'secret' })).rejects.toThrow(/^(?!.*a secret).*outside: true/s)
    expect((await rowsOf({ ...config, split: 'back' })).length).toBe(3)
    expect((await rowsOf({ ...config, split: 'test', outside: true })).length).toBeGreaterThan(0)
    const darknet = await made('darknet', {
      'obj.data': 'train = train.txt\nnames = ../secret.txt\n',
      'train.txt': 'a.jpg\n',
      'a.jpg': jpeg,
      'a.txt': row,
    })
    await expect(rowsOf({ format: 'yolo', path: join(darknet, 'obj.data') })).rejects.toThrow(
      /secret\.txt .*is not in the folder.*outside: true/,
    )
  })

  it('of VOC, of Flickr30k Entities and of pictures has them in it', async () => {
    const jpeg = await picture('#3c3')
    const xml =
      '<annotation><size><width>40</width><height>20</height></size><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>'
    const voc = await made('voc', {
      'JPEGImages/a.jpg': jpeg,
      'JPEGImages/c.jpg': jpeg,
      'Annotations/a.xml': xml,
      'Annotations/b.xml': xml,
      '../c.xml': xml,
    })
    await symlink('../../private.jpg', join(voc, 'JPEGImages', 'b.jpg'))
    await symlink('../../c.xml', join(voc, 'Annotations', 'c.xml'))
    for (const path of [voc, join(voc, 'Annotations')])
      expect(await outcomes({ format: 'voc', path })).toEqual(['outside_folder', 'outside_folder', 'row'])
    expect(await outcomes({ format: 'voc', path: voc, outside: true })).toEqual(['row', 'row', 'row'])

    const flickr = await made('flickr', {
      'Sentences/1.txt': 'a [/EN#1/animals cat]\n',
      'Sentences/2.txt': 'a [/EN#1/animals cat]\n',
      'Annotations/1.xml': xml.replace('<name>cat', '<name>1'),
      'images/1.jpg': jpeg,
      'images/2.jpg': jpeg,
    })
    execFileSync('mkfifo', [join(flickr, 'Annotations', '2.xml')])
    const entities = { format: 'flickr30k-entities', path: flickr, images: join(flickr, 'images') }
    expect(await outcomes(entities)).toEqual(['not_a_file', 'row'])

    const plain = await made('plain', { 'a.jpg': jpeg, 'a.txt': 'a cat', 'b.jpg': jpeg, 'c.txt': 'a dog' })
    await symlink('../private.jpg', join(plain, 'c.jpg'))
    await symlink('../secret.txt', join(plain, 'b.txt'))
    expect(await outcomes({ format: 'folder', path: plain })).toEqual([
      'outside_folder',
      'outside_folder',
      'row',
    ])
    await symlink('../secret.txt', join(plain, 'captions.jsonl'))
    await expect(rowsOf({ format: 'folder', path: plain })).rejects.toThrow('say outside: true')
  })
})

describe('a file', () => {
  it('that has no end is not read to it', async () => {
    await expect(readData('/dev/zero', 1 << 22)).rejects.toThrow('/dev/zero has more than 4194304 bytes')
    await expect(readRegularFile('/dev/zero', 10)).rejects.toMatchObject({ reason: 'not_a_file' })
    // Files of /proc have a size of 0 and content.
    expect((await readRegularFile('/proc/self/status', 1 << 20)).length).toBeGreaterThan(100)
    await expect(readRegularFile('/proc/self/status', 100)).rejects.toMatchObject({ reason: 'too_large' })
  })
})
