import type { Xyxy } from '../boxes/xyxy.js'
import { cocoLayout, openCocoFile } from './coco-file.js'
import type { ExportRegion, ExportRow } from './export-rows.js'
import { lengthBetween, shortFloat } from './float-text.js'
import type { Format, Memory, Writer } from './format.js'
import { identityKeys } from './source-identity.js'

/** Phrases name what they name: all boxes have the one category, which nobody reads. */
const categories = [{ id: 1, name: 'object' }]

/** A phrase and all of its boxes in a picture; none of one that names nothing. */
interface Pair {
  readonly text: string
  readonly boxes: readonly ExportRegion[]
  /** Whether it is known that there are no more. */
  readonly isExhaustive: boolean
}

/**
 * SA-Co's pairs (`pairs.json`), as `cgf1_eval.py` reads them: COCO's JSON whose images are pairs of a picture
 * and a phrase, `text_input`. A pair without a box says that the phrase names nothing in the picture. Boxes
 * are x y width height in shares of the picture's sides. `is_instance_exhaustive` is 1 where all boxes of a
 * phrase are known: of what is absent, and of category names of pictures that are exhaustive.
 */
export const saco: Format = {
  pictures: 'files',
  folder: () => 'images',
  urls: true,
  lacks: [
    'captions',
    'caption kinds',
    'spans',
    'heads',
    'phrases without a box',
    'hashes',
    'meta',
    'areas',
    'crowds',
  ],
  notes: [
    'an entry of `images` in pairs.json is a phrase of a picture; one without a box is a negative',
    'cgf1_eval.py passes over pairs that are not is_instance_exhaustive',
  ],
  async open({ folder, memory }): Promise<Writer> {
    const { sums, counters } = memory
    const pairs = await openCocoFile(folder, 'pairs')
    const next = (name: string) => {
      counters[name] = (counters[name] ?? 0) + 1
      return counters[name]
    }
    return {
      wants: ({ regions, absence }) => regions.length > 0 || (absence?.negatives.length ?? 0) > 0,
      async shard(_, rows) {
        for await (const { row, file, name } of rows) {
          for (const { text, boxes, isExhaustive } of pairsOf(row)) {
            const id = next('pairs.images')
            const exhaustive = isExhaustive ? 1 : 0
            await pairs.add('images', {
              id,
              file_name: file ?? `${name}.jpg`,
              text_input: text,
              width: row.width,
              height: row.height,
              is_instance_exhaustive: exhaustive,
              is_pixel_exhaustive: exhaustive,
              ...(row.url !== null && { coco_url: row.url }),
              ...(row.license !== null && { license: licenseOf(row.license, memory) }),
              ...identityKeys(row),
            })
            sums.written.regions += boxes.length
            for (const { xyxy, score, origin } of boxes)
              await pairs.add('annotations', {
                id: next('pairs.annotations'),
                image_id: id,
                category_id: 1,
                ...shareOf(xyxy, row),
                iscrowd: 0,
                ...(origin !== 'gold' && { score: shortFloat(score), origin }),
              })
          }
        }
      },
      async finish() {
        const licenses = memory.licenses.map((name, index) => ({ id: index + 1, name, url: name }))
        await pairs.finish({ licenses, categories })
      },
    }
  },
  layout: (context) =>
    cocoLayout(context, [
      {
        name: 'pairs',
        images: [
          { name: 'text_input', description: 'the phrase', type: 'sc:Text' },
          {
            ...{ name: 'is_instance_exhaustive', type: 'sc:Integer' },
            description: '1 where all boxes of the phrase are known',
          },
        ],
        boxes: [],
      },
    ]),
  ingest: (folder, { images }) => {
    const pictures = images === 'url' ? {} : { images: folder }
    return { pairs: { format: 'saco', path: `${folder}/pairs.json`, ...pictures } }
  },
}

/** The phrases of a picture by their words: those with boxes in their order, then those that are absent. */
function pairsOf({ captions, regions, absence }: ExportRow): Pair[] {
  const grounded = new Map<string, { boxes: Map<string, ExportRegion>; isCategory: boolean }>()
  for (const region of regions) {
    const pair = grounded.get(region.text) ?? { boxes: new Map(), isCategory: false }
    grounded.set(region.text, pair)
    // A box that two captions name the same is one box.
    pair.boxes.set(region.xyxy.join(), region)
    if (captions[region.caption]?.kind === 'categories') pair.isCategory = true
  }
  const partial = new Set(absence?.partial)
  const known = [...grounded].map(
    ([text, { boxes, isCategory }]): Pair => ({
      text,
      boxes: [...boxes.values()],
      isExhaustive: isCategory && (absence?.exhaustive ?? false) && !partial.has(text),
    }),
  )
  const absent = (absence?.negatives ?? [])
    .filter((text) => !grounded.has(text))
    .map((text): Pair => ({ text, boxes: [], isExhaustive: true }))
  return [...known, ...absent]
}

function licenseOf(license: string, { licenses }: Memory): number {
  if (!licenses.includes(license)) licenses.push(license)
  return licenses.indexOf(license) + 1
}

/** A box and its area in shares of the picture's sides. */
function shareOf([x1, y1, x2, y2]: Xyxy, { width, height }: ExportRow) {
  const box = [x1 / width, y1 / height, lengthBetween(x1, x2) / width, lengthBetween(y1, y2) / height]
  return { bbox: box, area: ((x2 - x1) * (y2 - y1)) / (width * height) }
}
