import { Binary, Float32, Int32, Utf8 } from 'apache-arrow'
import { ByteCopies } from '../base/files/byte-copies.js'
import { plainJson } from '../base/plain-text.js'
import { listField, type RecordField } from '../card/croissant-records.js'
import { cardHeading, cardTitle, dataCardText } from '../card/data-card.js'
import { parquetChunks } from '../parquet/parquet-chunks.js'
import { listOf, schemaOf, struct, xyxy } from '../rows/arrow-schema.js'
import type { ExportRow } from './export-rows.js'
import { count } from './export-sums.js'
import type { Format, Writer, WriterContext } from './format.js'
import { pictureEnding } from './place-picture.js'
import { pictureObject } from './region-object.js'

const text = new Utf8()
const int = new Int32()
const float = new Float32()

const region = {
  caption: int,
  start: int,
  end: int,
  text,
  head: text,
  xyxy: xyxy(),
  score: float,
  origin: text,
}

/** The columns of an export: a region is a struct of a list, with the words that it names. */
export const hfSchema = schemaOf({
  key: text,
  image: struct({ bytes: new Binary(), path: text }),
  width: int,
  height: int,
  captions: listOf(struct({ text, kind: text })),
  regions: listOf(struct(region)),
  url: text,
  sha256: text,
  license: text,
  meta: text,
  source_id: text,
  file_name: text,
})

export const hfNullable: ReadonlySet<string> = new Set([
  'image.bytes',
  'image.path',
  'url',
  'license',
  'meta',
  'source_id',
  'file_name',
])

/**
 * A dataset of Hugging Face: `data/<split>-00000-of-000NN.parquet`, a file a shard, with the feature `Image`
 * in its metadata, and the README with its card. Pictures that are left where they are have the address for
 * their path, from which datasets fetches them.
 */
export const hf: Format = {
  pictures: 'within',
  urls: true,
  lacks: ['phrases without a box', 'negatives', 'areas', 'crowds'],
  notes: [],
  async open(context: WriterContext): Promise<Writer> {
    const { folder, config, shards, memory } = context
    const { written } = memory.sums
    const copies = new ByteCopies()
    return {
      async shard({ index }, rows) {
        const name = `data/${config.split}-${five(index)}-of-${five(shards.length)}.parquet`
        const file = await folder.part(name)
        // Rows of the row groups that are begun: those of the groups before are written when another row is taken.
        const counter = { rows: copies.count }
        async function* records() {
          for await (const { row, name } of rows) {
            copies.dropFirst(counter.rows)
            written.captions += row.captions.length
            written.regions += row.regions.length
            yield recordOf(row, name, config.images === 'url' ? null : copies.add(row.bytes))
          }
        }
        const chunks = parquetChunks(hfSchema, hfNullable, records(), counter)
        for await (const chunk of chunks) await file.write(chunk)
        count(memory.counters, 'bytes', file.length())
        folder.end(name)
      },
      async finish() {
        await folder.write('README.md', cardOf(context))
      },
    }
  },
  inner: ['data'],
  layout({ config: { split, images } }) {
    const of = { fileSet: 'parquet' }
    const column = (name: string, description: string, type: RecordField['type']): RecordField => ({
      ...{ name, description, ...(type && { type }) },
      source: { of, extract: { column: name } },
    })
    const image: RecordField = {
      ...{ name: 'image', description: 'the picture', type: 'sc:ImageObject' },
      source: { of, extract: { column: 'image' }, transform: [{ jsonPath: 'bytes' }] },
    }
    const list = (name: string) => ({ of, extract: { column: name } })
    return {
      fileSets: [
        {
          id: 'parquet',
          description: 'all of the Parquet files',
          includes: [`data/${split}-*.parquet`],
          encodingFormat: 'application/x-parquet',
        },
      ],
      records: [
        {
          id: 'pictures',
          description: 'a picture with its captions and the boxes that their words name',
          key: 'key',
          fields: [
            column('key', 'the picture in the dataset', 'sc:Text'),
            ...(images === 'url' ? [] : [image]),
            column('width', 'pixels', 'sc:Integer'),
            column('height', 'pixels', 'sc:Integer'),
            listField('captions', 'its captions', list('captions'), captionKeys),
            listField(
              'regions',
              'words of a caption and the box that they name',
              list('regions'),
              regionKeys,
            ),
            column('url', 'where the picture was crawled', 'sc:URL'),
            column('sha256', 'of the bytes as they came', 'sc:Text'),
            column('license', 'of the picture, as its source says', 'sc:Text'),
            column('meta', 'what else the source said, as JSON', 'sc:Text'),
            column('source_id', 'its id in the source', 'sc:Text'),
            column('file_name', 'its file in the source', 'sc:Text'),
          ],
        },
      ],
    }
  },
  ingest: (folder, { images, split }) => {
    const picture = { ...(images !== 'url' && { image: 'image' }), url: 'url' }
    const meta = ['source_id', 'file_name']
    const columns = { ...picture, caption: 'captions', license: 'license', regions: 'regions', meta }
    return { regions: { format: 'parquet', path: `${folder}/data/${split}-*.parquet`, columns } }
  },
}

const captionKeys = [
  { name: 'text', description: 'the caption', type: 'sc:Text' },
  { name: 'kind', description: 'web, gold or categories', type: 'sc:Text' },
] as const

const regionKeys = [
  { name: 'caption', description: 'place of its caption in the list', type: 'sc:Integer' },
  { name: 'start', description: 'where its words begin, in characters', type: 'sc:Integer' },
  { name: 'end', description: 'where they end', type: 'sc:Integer' },
  { name: 'text', description: 'the words', type: 'sc:Text' },
  { name: 'head', description: 'their head noun', type: 'sc:Text' },
  { name: 'xyxy', description: 'x1 y1 x2 y2 in pixels', type: 'sc:Float', shape: '4' },
  { name: 'score', description: 'of who found the box, 0 to 1', type: 'sc:Float' },
  { name: 'origin', description: 'who gave the box', type: 'sc:Text' },
] as const

const five = (value: number) => String(value).padStart(5, '0')

/** @param bytes of the picture; null where it is left where it is */
function recordOf(row: ExportRow, name: string, bytes: Uint8Array | null) {
  const { url, sourceId, sourceName } = row
  const path = bytes ? `${name}.${pictureEnding(bytes)}` : url
  const image = { bytes, path }
  return { ...pictureObject(row), image, source_id: sourceId, file_name: sourceName }
}

/** The README that the Hub shows: what the data are, as YAML for programs and as text for people. */
function cardOf({ config, source, license: ofSource, memory, lineage, audits }: WriterContext): string {
  const { written, lost } = memory.sums
  const bytes = memory.counters.bytes ?? 0
  const about = config.card ?? {}
  const license = about.license ?? ofSource
  const title = cardTitle({ about, lineage })
  const ungrounded = lost['phrases without a box'] ?? 0
  // Only its own identifiers are licences to the Hub; all others are named.
  const licenses = license
    ? /^[a-z0-9.-]+$/.test(license)
      ? `license: ${license}\n`
      : `license: other\nlicense_name: ${plainJson(license)}\n`
    : ''
  return `---
pretty_name: ${plainJson(title)}
${licenses}task_categories:
- object-detection
- zero-shot-object-detection
tags:
- grounding
- groundmill
configs:
- config_name: default
  data_files:
  - split: ${config.split}
    path: data/${config.split}-*
dataset_info:
  features:
${features}  splits:
  - name: ${config.split}
    num_bytes: ${bytes}
    num_examples: ${written.images}
  download_size: ${bytes}
  dataset_size: ${bytes}
---

${cardHeading({ about, lineage })}

${written.images} pictures with ${written.captions} captions and ${written.regions} regions: which words of a caption name which
box. Grounding "${source.grounding}" of the groundmill dataset "${source.name}".

\`\`\`python
from datasets import load_dataset

row = load_dataset("PATH/TO/THIS/FOLDER", split="${config.split}")[0]
for region in row["regions"]:
    caption = row["captions"][region["caption"]]["text"]
    print(caption[region["start"] : region["end"]], region["xyxy"], region["score"])
\`\`\`

- \`captions\`: \`text\`, and \`kind\`: \`web\` (crawled), \`gold\` (written for the picture), \`categories\` (category names joined by '. ')
- \`regions\`: \`caption\` is a place in \`captions\`, \`start\` and \`end\` are offsets in its characters, \`text\` is what they cover and
  \`head\` its head noun; \`xyxy\` is x1 y1 x2 y2 in pixels; \`score\` is in 0 to 1, and \`origin\` says who gave the box: \`gold\`, or a
  model and its round
- \`source_id\` and \`file_name\` are what the source calls the picture: its id (else the file, or the address) and its file
- \`sha256\` is that of the bytes as they were crawled from \`url\`
${ungrounded > 0 ? `- ${ungrounded} phrases that no box was found for are not in it\n` : ''}
${dataCardText({ about, lineage, audits })}`
}

/** The features as the Hub writes them. */
const features = `  - name: key
    dtype: string
  - name: image
    dtype: image
  - name: width
    dtype: int32
  - name: height
    dtype: int32
  - name: captions
    list:
    - name: text
      dtype: string
    - name: kind
      dtype: string
  - name: regions
    list:
    - name: caption
      dtype: int32
    - name: start
      dtype: int32
    - name: end
      dtype: int32
    - name: text
      dtype: string
    - name: head
      dtype: string
    - name: xyxy
      sequence: float32
      length: 4
    - name: score
      dtype: float32
    - name: origin
      dtype: string
  - name: url
    dtype: string
  - name: sha256
    dtype: string
  - name: license
    dtype: string
  - name: meta
    dtype: string
  - name: source_id
    dtype: string
  - name: file_name
    dtype: string
`
