import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import * as parquet from 'parquet-wasm'

const range = (count: number) => Array.from({ length: count }, (_, index) => index)
const rows = 23

/**
 * A small source of each format, and of the ways in which its file may be packed, by a name that begins with
 * the format.
 */
export async function sourceSamples(folder: string): Promise<Readonly<Record<string, { format: string }>>> {
  const file = async (name: string, content: string | Uint8Array | object) => {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    const isBytes = typeof content === 'string' || content instanceof Uint8Array
    await writeFile(path, isBytes ? content : JSON.stringify(content))
    return path
  }
  const samples: Record<string, { format: string }> = {}
  const add = (name: string, config: object) => {
    samples[name] = { format: name.split(' ')[0] ?? '', ...config }
  }

  const pairs = range(rows).map((index) => ({ url: `u${index}`, caption: `caption ${index}` }))
  const tsv = `url\tcaption\n${pairs.map(({ url, caption }) => `${url}\t${caption}`).join('\n')}\n`
  add('tsv', { path: await file('pairs.tsv', tsv) })
  add('tsv in gzip', { path: await file('packed.tsv.gz', gzipSync(tsv)) })
  const quoted = `url\tcaption\n${pairs.map(({ url, caption }) => `${url}\t"${caption},\nmore"`).join('\n')}\n`
  add('tsv with quoted cells', { path: await file('quoted.tsv', quoted), quoted: true })
  await file('parts/a.tsv', tsv)
  await file('parts/b.tsv.gz', gzipSync(tsv))
  await file('parts/c.tsv', tsv)
  add('tsv of several files', { path: join(folder, 'parts') })
  const csv = `url,caption\n${pairs.map(({ url, caption }) => `${url},"${caption},\nmore"`).join('\n')}\n`
  add('csv', { path: await file('pairs.csv', csv) })
  add('csv in gzip', { path: await file('packed.csv.gz', gzipSync(csv)) })
  const jsonl = `${pairs.map((pair) => JSON.stringify(pair)).join('\n')}\nnonsense\n`
  add('jsonl', { path: await file('pairs.jsonl', jsonl) })
  add('jsonl in gzip', { path: await file('packed.jsonl.gz', gzipSync(jsonl)) })
  add('json', { path: await file('pairs.json', pairs) })
  add('json in gzip', { path: await file('packed.json.gz', gzipSync(JSON.stringify(pairs, null, 1))) })
  const columns = { url: pairs.map(({ url }) => url), caption: pairs.map(({ caption }) => caption) }
  add('json of columns', { path: await file('columns.json', columns) })

  const table = parquet.Table.fromIPCStream(tableToIPC(tableFromArrays(columns), 'stream'))
  const properties = new parquet.WriterPropertiesBuilder().setMaxRowGroupSize(5).build()
  add('parquet', { path: await file('pairs.parquet', parquet.writeParquet(table, properties)) })

  const inside = range(rows).flatMap((index) => [`${index + 100}.jpg`, `${index + 100}.txt`])
  for (const name of inside) await file(join('samples', name), `content of ${name}`)
  for (const [ending, flags] of [
    ['tar', '-cf'],
    ['tar.gz', '-czf'],
  ] as const) {
    const path = join(folder, `samples.${ending}`)
    const { status } = spawnSync('tar', [flags, path, '--mtime=@0', '-C', join(folder, 'samples'), ...inside])
    if (status !== 0) throw new Error(`tar gave ${status}`)
    add(`webdataset as ${ending}`, { path })
  }
  add('folder', { path: join(folder, 'samples') })

  const pictures = range(rows).map((id) => ({ id, file_name: `${id}.jpg`, width: 40, height: 30 }))
  const instances = await file('instances.json', {
    images: [...pictures, 'nonsense'],
    annotations: pictures.map(({ id }) => ({
      id: 100 + id,
      image_id: id,
      category_id: 7,
      bbox: [1, 2, 3, 4],
    })),
    categories: [{ id: 7, name: 'dog' }],
  })
  const images = join(folder, 'samples')
  add('coco', { images, instances, prompt: { negatives: 1 } })
  const references = pictures.slice(0, 20).map(({ id }) => ({
    ref_id: id,
    ann_id: 100 + id,
    image_id: id,
    split: 'val',
    sentences: [{ sent: `thing ${id}`, sent_id: id }],
  }))
  add('refcoco', { path: await file('references.json', [...references, 'nonsense']), instances, images })

  const asked = {
    images: pictures.map((picture) => ({ ...picture, text_input: 'a dog' })),
    annotations: pictures.map(({ id }) => ({ image_id: id, bbox: [0.1, 0.1, 0.2, 0.2] })),
  }
  add('saco', { path: await file('asked.json', asked), images })

  const boxes = range(rows).flatMap((id) => [`i${id},/m/1,0.1,0.2,0.1,0.2,0`, `i${id},/m/2,0,1,0,1,0`])
  add('openimages', {
    path: await file('boxes.csv', `ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\n${boxes.join('\n')}\n`),
    classes: await file('classes.csv', '/m/1,Tortoise\n/m/2,Cat\n'),
    images,
  })
  const described = range(rows).map((id) => ({
    id,
    regions: [{ phrase: `a wall ${id}`, x: 1, y: 2, width: 3, height: 4 }],
  }))
  add('visual-genome', { path: await file('regions.json', described), images })
  const size = '<size><width>40</width><height>30</height></size>'
  for (const id of range(rows)) {
    await file(`entities/Sentences/${id}.txt`, '[/EN#1/people A dog] runs .\n')
    await file(
      `entities/Annotations/${id}.xml`,
      `<a>${size}<object><name>1</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></a>`,
    )
  }
  add('flickr30k-entities', { path: join(folder, 'entities'), images })
  const lines = range(rows).map((id) => ({
    filename: `${id}.jpg`,
    width: 40,
    height: 30,
    detection: { instances: [{ bbox: [0, 0, 9, 9], label: 0 }] },
  }))
  const odvg = lines.map((line) => JSON.stringify(line)).join('\n')
  const classes = await file('labels.json', { 0: 'dog', 1: 'cat' })
  add('odvg', { path: await file('odvg.jsonl', odvg), classes, images })
  add('odvg in gzip', { path: await file('odvg.jsonl.gz', gzipSync(odvg)), classes, images })
  const label = {
    img_h: 30,
    img_w: 40,
    caption: 'a dog',
    bboxes: [[0, 0, 9, 9]],
    scores: [0.9],
    tokens_positive: [[[2, 5]]],
  }
  add('glip-tsv', {
    path: await file(
      'labels.tsv',
      range(rows)
        .map((id) => `k${id}\t${JSON.stringify(label)}\n`)
        .join(''),
    ),
    images: await file(
      'pictures.tsv',
      range(rows)
        .map((id) => `k${id}\t\tAAAA\n`)
        .join(''),
    ),
  })
  for (const id of range(rows)) {
    await file(`yolo/images/${id}.jpg`, 'x')
    await file(`yolo/labels/${id}.txt`, '0 0.5 0.5 0.2 0.2\n')
  }
  add('yolo', { path: await file('yolo/data.yaml', 'train: images\nnames: [dog]\n') })
  for (const id of range(rows)) {
    await file(`voc/JPEGImages/${id}.jpg`, 'x')
    await file(
      `voc/Annotations/${id}.xml`,
      `<annotation><object><name>dog</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>`,
    )
  }
  add('voc', { path: join(folder, 'voc') })
  const regions = range(rows).flatMap((id) => [`${id},0,a dog,2,5,1,2,9,9`, `${id},0,a dog,0,1,1,2,9,9`])
  add('csv-regions', {
    path: await file('regions.csv', `key,caption,text,start,end,x1,y1,x2,y2\n${regions.join('\n')}\n`),
    images,
  })
  return samples
}
