import { z } from 'zod'
import { UserError } from '../base/user-error.js'
import { joinParts } from '../boxes/join-parts.js'
import { mergeBoxes } from '../boxes/merge-boxes.js'
import { nms } from '../boxes/nms.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { cutPicture } from '../pictures/cut-picture.js'
import type { Picture } from '../pictures/picture.js'
import type { DetectOptions, PhraseDetection, Query, Teacher } from './teacher.js'

const share = z.number().min(0).max(1)

/** How pictures are asked about in tiles. */
export const tilesConfig = z
  .strictObject({
    size: z
      .number()
      .int()
      .min(32)
      .describe('pixels of the sides of a tile; a picture that is no larger is asked about as it is'),
    overlap: z
      .number()
      .min(0)
      .max(0.9)
      .default(0.2)
      .describe('share of a tile that is in the next one too: as much as the things that are looked for'),
    whole: z
      .boolean()
      .default(true)
      .describe('whether the whole picture is asked about as well, for what is larger than a tile'),
    merge: z
      .enum(['join', 'drop', 'nms', 'nmm'])
      .default('join')
      .describe(
        'how boxes of one phrase become one. join: the strongest of those that overlap, and parts that an edge of a tile has cut grow together; drop: without the parts, for an overlap as large as the things; nms: the strongest alone; nmm: grown around all, as SAHI does it, for a floor of 0.25 or more: weak boxes spoil it',
      ),
    match: share
      .default(0.5)
      .describe(
        'overlap over which boxes are one: their IoU; of parts and of nmm in shares of the smaller one',
      ),
  })
  .describe(
    'asks about a large picture in tiles as well, for what is small in it, and puts the answers together (SAHI); as many times slower as there are tiles',
  )

export type TilesConfig = z.infer<typeof tilesConfig>

/** Tiles of one picture: more take hours, and are a size or an overlap that nobody meant. */
const mostTiles = 10_000
/** Tiles that are cut out at once, for one session. */
const tilesAtOnce = 8
/** A box that ends so near to an edge within the picture, in shares of the tile's side, is taken for a part. */
const nearEdge = 0.015

/** A part of a picture. */
interface Tile {
  readonly whole: Picture
  readonly picture: Picture
  readonly left: number
  readonly top: number
}

/**
 * A teacher that is asked about pictures in tiles: each query on each tile of its picture, and on the whole; what is
 * found is brought back to the picture, and boxes of one phrase (and label) that are of one thing are put together.
 * Pictures are decoded at their full size.
 */
export function inTiles(teacher: Teacher, config: TilesConfig): Teacher {
  return {
    ...teacher,
    pictureSide: Number.POSITIVE_INFINITY,
    async detect(queries: readonly Query[], options: DetectOptions) {
      const found = queries.map((): TileBox[] => [])
      const byPicture = grouped(queries.keys(), (index) => (queries[index] as Query).picture)
      for (const group of groupsOf(tilesOf(byPicture.keys(), config), tilesAtOnce * teacher.parallel)) {
        const asked = group.flatMap((tile) =>
          (byPicture.get(tile.whole) ?? []).map((index) => ({ index, tile })),
        )
        const answers = await teacher.detect(
          asked.map(({ index, tile }) => ({ ...(queries[index] as Query), picture: tile.picture })),
          options,
        )
        for (const [at, { index, tile }] of asked.entries())
          for (const box of answers[at] ?? []) found[index]?.push(shifted(box, tile))
      }
      return found.map((boxes) => together(boxes, config, options))
    },
  }
}

/** The tiles of pictures, one after another, the whole picture first where it is wanted. */
function* tilesOf(pictures: Iterable<Picture>, config: TilesConfig): Generator<Tile> {
  for (const whole of pictures) {
    const places = tilePlaces(whole, config)
    if (config.whole || places.length === 1) yield { whole, picture: whole, left: 0, top: 0 }
    if (places.length === 1) continue
    for (const [left, top] of places) {
      const width = Math.min(config.size, whole.width)
      const height = Math.min(config.size, whole.height)
      yield { whole, left, top, picture: cutPicture(whole, { left, top, width, height }) }
    }
  }
}

/**
 * Where the tiles of a picture begin, row by row: as far apart as they do not overlap, the last of a row and of a column
 * at the edge (`get_slice_bboxes` of SAHI).
 *
 * @throws UserError where there are more than ten thousand
 */
export function tilePlaces(
  { width, height }: Pick<Picture, 'width' | 'height'>,
  { size, overlap }: Pick<TilesConfig, 'size' | 'overlap'>,
): (readonly [left: number, top: number])[] {
  const step = size - Math.trunc(overlap * size)
  const countOf = (length: number) => Math.max(1, Math.ceil((length - size) / step) + 1)
  const count = countOf(width) * countOf(height)
  if (count > mostTiles)
    throw new UserError(
      `tiles: a picture of ${width} x ${height} pixels has ${count} tiles of size ${size} with overlap ${overlap}, and ${mostTiles} are the most. Give a larger size, or a smaller overlap.`,
    )
  const starts = (length: number) =>
    Array.from({ length: countOf(length) }, (_, at) => Math.max(0, Math.min(at * step, length - size)))
  const across = starts(width)
  return starts(height).flatMap((top) => across.map((left) => [left, top] as const))
}

/** A box in pixels of the whole picture. */
interface TileBox extends PhraseDetection {
  readonly isPart: boolean
}

function shifted(box: PhraseDetection, { whole, picture, left, top }: Tile): TileBox {
  const [x1, y1, x2, y2] = box.xyxy
  const near = nearEdge * Math.max(picture.width, picture.height)
  const xyxy: Xyxy = [x1 + left, y1 + top, x2 + left, y2 + top]
  const isPart =
    (left > 0 && x1 <= near) ||
    (top > 0 && y1 <= near) ||
    (left + picture.width < whole.width && x2 >= picture.width - near) ||
    (top + picture.height < whole.height && y2 >= picture.height - near)
  return { ...box, xyxy, isPart }
}

/** Boxes of all tiles put together, those of each phrase and label by themselves; best first. */
function together(
  boxes: readonly TileBox[],
  { merge, match }: TilesConfig,
  { max_boxes: most }: DetectOptions,
): PhraseDetection[] {
  const byPhrase = grouped(boxes, ({ phrase }) => phrase)
  const kept = [...byPhrase.values()].flatMap((own) => {
    const byLabel = grouped(own, ({ label }) => label)
    const merged = [...byLabel.values()].flatMap((same) => merges[merge](same, match, most))
    return merged.sort((a, b) => b.score - a.score).slice(0, most)
  })
  return kept.sort((a, b) => b.score - a.score).map(({ isPart, ...box }) => box)
}

const strongest = (boxes: readonly TileBox[], match: number, most: number) =>
  nms(boxes, match, most).map((at) => boxes[at] as TileBox)

/** How boxes of one phrase and label become one. */
const merges: Readonly<
  Record<TilesConfig['merge'], (boxes: readonly TileBox[], match: number, most: number) => TileBox[]>
> = {
  join: joinParts,
  drop: (boxes, ...how) =>
    strongest(
      boxes.filter(({ isPart }) => !isPart),
      ...how,
    ),
  nms: strongest,
  nmm: mergeBoxes,
}

function grouped<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}

function* groupsOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let group: T[] = []
  for (const item of items) {
    group.push(item)
    if (group.length < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
