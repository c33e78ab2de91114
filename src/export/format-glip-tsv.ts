import { asciiJson } from '../base/ascii-json.js'
import { captionSamples } from './caption-samples.js'
import { shortFloat } from './float-text.js'
import type { Format, Writer, WriterContext } from './format.js'
import { identityKeys } from './source-identity.js'

/**
 * GLIP's TSV of grounded captions: `labels.tsv` has a key and the boxes of a caption as JSON, `images.tsv`
 * the key and the picture in base64, line for line; the `.lineidx` beside each has the byte at which every
 * line begins. `dataset.yaml` names both for GLIP's loader.
 */
export const glipTsv: Format = {
  pictures: 'within',
  urls: false,
  lacks: [
    'caption kinds',
    'origins',
    'heads',
    'phrases without a box',
    'urls',
    'hashes',
    'licenses',
    'meta',
    'negatives',
    'areas',
    'crowds',
  ],
  notes: [
    'a caption is a line, and its picture is written with each: a picture with five captions stands there five times',
    'GLIP trains on scores above 0.5 unless it is told otherwise; gold has 1',
  ],
  async open({ folder, config, memory }: WriterContext): Promise<Writer> {
    const { sums } = memory
    const labels = await folder.part('labels.tsv')
    const labelIndex = await folder.part('labels.lineidx')
    const images = await folder.part('images.tsv')
    const imageIndex = await folder.part('images.lineidx')
    return {
      async shard(_, rows) {
        for await (const { row, name } of rows) {
          const samples = captionSamples(row, config.keep_empty, sums)
          const picture = samples.length > 0 ? asBuffer(row.bytes).toString('base64') : ''
          for (const { caption, regions } of samples) {
            const label = {
              img_h: row.height,
              img_w: row.width,
              caption: caption.text,
              bboxes: regions.map(({ xyxy }) => xyxy.map(shortFloat)),
              scores: regions.map(({ score }) => shortFloat(score)),
              tokens_positive: regions.map(({ start, end }) => [[start, end]]),
              ...identityKeys(row),
            }
            await labelIndex.write(`${labels.length()}\n`)
            await labels.write(`${name}\t${asciiJson(label)}\n`)
            await imageIndex.write(`${images.length()}\n`)
            await images.write(`${name}\t${picture}\n`)
          }
        }
      },
      async finish() {
        await folder.write('dataset.yaml', 'img: images.tsv\nlabel: labels.tsv\n')
      },
    }
  },
  // A table without a head, and JSON in its cells: Croissant has no words for it, and mlcroissant reads the first line
  // of it for names. The files are described, and their records are not.
  layout: () => ({ fileSets: [], records: [] }),
  ingest: (folder, { format }) => ({
    grounding: { format, path: `${folder}/labels.tsv`, images: `${folder}/images.tsv`, min_score: 0 },
  }),
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
