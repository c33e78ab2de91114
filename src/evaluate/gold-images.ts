import type { Xyxy } from '../boxes/xyxy.js'
import { decodePicture } from '../pictures/picture.js'
import type { Phrase } from '../rows/rows.js'
import { joinRows, mismatch } from '../shards/join-rows.js'
import type { Storage } from '../storage/storage.js'
import type { GoldPicture } from './ask-attributes.js'
import type { Detection } from './box-table.js'
import type { GroundTruth } from './coco-ap.js'

/** A dataset with gold boxes. */
export interface EvaluationSet {
  readonly storage: Storage
  readonly shards: readonly string[]
  /** The stage whose phrases and grounding are gold. */
  readonly stage: string
}

export interface GoldImage extends GoldPicture {
  /** The written caption with its phrases and their boxes. */
  readonly text: string | undefined
  readonly phrases: readonly (Pick<Phrase, 'text' | 'head'> & {
    readonly span: readonly [number, number]
    readonly targets: readonly Xyxy[]
  })[]
  readonly boxes: readonly GoldBox[]
  /** Pixels of the picture that the source describes for one of the stored one. */
  readonly unit: number
}

/** A box with its category's name. */
export interface GoldBox {
  readonly category: string
  /** In pixels of the stored picture, as is its area. */
  readonly xyxy: Xyxy
  readonly area: number | null
  readonly crowd: boolean
  /** Need not be found. */
  readonly ignore: boolean
}

/**
 * A box and its area in pixels of the picture that the source describes, in which COCO's classes of size are
 * meant.
 */
export function truthOf(
  { xyxy, area, crowd, ignore }: GoldBox,
  unit: number,
): Omit<GroundTruth, 'image' | 'category'> {
  const [x1, y1, x2, y2] = xyxy
  const bbox = inSource([x1, y1, x2 - x1, y2 - y1], unit)
  const own = area === null ? bbox[2] * bbox[3] : area * unit * unit
  return { bbox, area: own, iscrowd: crowd, ignore }
}

/** A box of the stored picture in pixels of the one that the source describes. */
export const inSource = ([x, y, width, height]: Detection['bbox'], unit: number): Detection['bbox'] => [
  x * unit,
  y * unit,
  width * unit,
  height * unit,
]

/**
 * The pictures of a set with what its gold says of them.
 *
 * @param side longer side to which pictures are decoded
 * @throws UserError where the families do not match row for row
 */
export async function* goldImages(
  { storage, shards, stage }: EvaluationSet,
  side: number,
): AsyncGenerator<GoldImage> {
  const parts = {
    images: { columns: ['image', 'captions'] },
    phrases: { family: 'phrases', stage, columns: ['phrases'] },
    grounding: { family: 'grounding', stage, columns: ['regions', 'ignored', 'scale'] },
  } as const
  for (const shard of shards) {
    for await (const { key, row, images, phrases, grounding } of joinRows(storage, shard, parts)) {
      const { regions, ignored, scale } = grounding
      const written = images.captions.findIndex(({ kind }) => kind !== 'categories')
      yield {
        picture: await decodePicture(images.image.bytes, side, key),
        gold: { key, captions: images.captions, phrases: phrases.phrases, regions },
        text: images.captions[written]?.text,
        phrases: phrases.phrases.flatMap((phrase, index) => {
          const targets = regions.filter((region) => region.phrase === index).map(({ xyxy }) => xyxy)
          const { text, head, caption, start, end } = phrase
          return caption === written ? [{ text, head, span: [start, end] as const, targets }] : []
        }),
        unit: 1 / (scale ?? 1),
        boxes: regions
          .flatMap(({ phrase, xyxy, caption, area = null }): GoldBox[] => {
            const named = phrases.phrases[phrase]
            const source = images.captions[caption]
            if (!named || !source) throw mismatch({ storage, shard }, parts.grounding, parts.phrases, row)
            if (source.kind !== 'categories') return []
            return [{ category: named.text, xyxy, area, crowd: false, ignore: false }]
          })
          .concat(ignored?.map(({ text, ...box }) => ({ category: text, ...box, ignore: true })) ?? []),
      }
    }
  }
}
