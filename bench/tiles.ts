/**
 * Tiles for small things: 4 x 4 pictures of the toy world as one, in which each thing is a quarter as long as in its
 * own picture, asked for as a whole and in tiles; and each picture by itself, the most that tiles can give.
 *
 *     npm run bench:tiles -- --model runs/quickstart/models/teacher --world runs/quickstart/world/known [--mosaics 16] [--json]
 *
 * The world's folder has images/ and annotations.json in COCO's form, as `groundmill quickstart` makes them.
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Detection } from '../src/evaluate/box-table.js'
import { cocoAp, type GroundTruth } from '../src/evaluate/coco-ap.js'
import { decodePicture, type Picture } from '../src/pictures/picture.js'
import { inTiles, tilesConfig } from '../src/teacher/in-tiles.js'
import { openTeacher } from '../src/teacher/open-teacher.js'
import type { Query, Teacher } from '../src/teacher/teacher.js'
import { joinNames } from '../src/words/name-prompt.js'
import { gatherFigures, option, printHelp, printReport } from './report.js'

await printHelp(import.meta.url)

interface Annotations {
  readonly images: readonly { readonly id: number; readonly file_name: string }[]
  readonly categories: readonly { readonly id: number; readonly name: string }[]
  readonly annotations: readonly {
    readonly image_id: number
    readonly category_id: number
    readonly bbox: readonly [number, number, number, number]
  }[]
}

/** A picture, and what is in it. */
interface Scene {
  readonly picture: Picture
  readonly things: readonly { readonly category: number; readonly bbox: GroundTruth['bbox'] }[]
}

const side = 4
const folder = option('world', 'runs/quickstart/world/known')
const count = Number(option('mosaics', '16'))
const world = JSON.parse(readFileSync(join(folder, 'annotations.json'), 'utf8')) as Annotations
const names = new Map(world.categories.map(({ id, name }) => [id, name]))

async function readScene({ id, file_name }: Annotations['images'][number]): Promise<Scene> {
  const bytes = await readFile(join(folder, 'images', file_name))
  const picture = await decodePicture(bytes, Number.POSITIVE_INFINITY, file_name)
  const own = world.annotations.filter((annotation) => annotation.image_id === id)
  return { picture, things: own.map(({ category_id: category, bbox }) => ({ category, bbox })) }
}

/** Pictures side by side, row by row, in cells of the largest. */
function mosaicOf(scenes: readonly Scene[]): Scene {
  const cell = Math.max(...scenes.flatMap(({ picture }) => [picture.width, picture.height]))
  const length = side * cell
  const data = new Uint8Array(3 * length * length).fill(114)
  const things = scenes.flatMap(({ picture, things: own }, at) => {
    const [left, top] = [(at % side) * cell, Math.floor(at / side) * cell]
    for (let y = 0; y < picture.height; y++)
      data.set(
        picture.data.subarray(3 * y * picture.width, 3 * (y + 1) * picture.width),
        3 * ((top + y) * length + left),
      )
    return own.map(({ category, bbox: [x, y, width, height] }) => ({
      category,
      bbox: [x + left, y + top, width, height] as const,
    }))
  })
  return { picture: { width: length, height: length, data, scale: 1 }, things }
}

/** All names that are in a scene, as one text. */
function questionOf({ picture, things }: Scene): {
  readonly query: Query
  readonly categories: readonly number[]
} {
  const categories = [...new Set(things.map(({ category }) => category))].sort((a, b) => a - b)
  const { text, spans } = joinNames(categories.map((id) => names.get(id) ?? ''))
  return { query: { picture, text, phrases: spans }, categories }
}

const options = { floor: 0.01, nms: 0.6, max_boxes: 100 }

/** @param asked whose things each scene is asked for: its own where not given */
async function measure(teacher: Teacher, scenes: readonly Scene[], asked = scenes) {
  const truth: GroundTruth[] = []
  const detections: Detection[] = []
  const start = performance.now()
  for (const [image, scene] of scenes.entries()) {
    for (const { category, bbox } of scene.things)
      truth.push({ image, category, bbox, area: bbox[2] * bbox[3], iscrowd: false })
    const { query, categories } = questionOf(asked[image] ?? scene)
    const [found = []] = await teacher.detect([{ ...query, picture: scene.picture }], options)
    for (const { phrase, xyxy, score } of found) {
      const [x1, y1, x2, y2] = xyxy
      detections.push({ image, category: categories[phrase] ?? 0, bbox: [x1, y1, x2 - x1, y2 - y1], score })
    }
  }
  const seconds = (performance.now() - start) / 1000
  return { ...cocoAp(truth, detections), seconds: seconds / scenes.length, things: truth.length }
}

const scenes: Scene[] = []
for (const image of world.images.slice(0, side * side * count)) scenes.push(await readScene(image))
scenes.length -= scenes.length % (side * side)
const mosaics = Array.from({ length: Math.floor(scenes.length / (side * side)) }, (_, at) =>
  mosaicOf(scenes.slice(at * side * side, (at + 1) * side * side)),
)
const cell = (mosaics[0]?.picture.width ?? 0) / side
const teacher = await openTeacher(option('model', 'runs/quickstart/models/teacher'), { threads: 2 })
const { figures, report } = gatherFigures()
try {
  await measure(teacher, mosaics.slice(0, 1))
  const whole = await measure(teacher, mosaics)
  const tiled = (given: object) =>
    measure(inTiles(teacher, tilesConfig.parse({ size: cell, ...given })), mosaics)
  const ways = {
    whole,
    'tiles, overlap 0.2, join': await tiled({}),
    'tiles, overlap 0.2, drop': await tiled({ merge: 'drop' }),
    'tiles, overlap 0.2, nms': await tiled({ merge: 'nms' }),
    'tiles, overlap 0.2, nmm': await tiled({ merge: 'nmm' }),
    'tiles, overlap 0.5, join': await tiled({ overlap: 0.5 }),
    'tiles, overlap 0.5, drop': await tiled({ overlap: 0.5, merge: 'drop' }),
    'tiles of two cells, overlap 0.2, join': await tiled({ size: 2 * cell }),
  }
  for (const [name, { ap50, ar100, seconds }] of Object.entries(ways)) {
    report(`recall (AR100), ${name}`, 100 * ar100, '%')
    report(`AP50, ${name}`, 100 * ap50, '%')
    report(
      `time a mosaic, ${name}`,
      seconds,
      's',
      '',
      null,
      `${(seconds / whole.seconds).toFixed(1)} times the whole`,
    )
  }
  // Asked for all that is in its mosaic, as its tile is.
  const asked = scenes.map((_, at) => mosaics[Math.floor(at / (side * side))] as Scene)
  const single = await measure(teacher, scenes, asked)
  const note = 'what tiles can give at most'
  report('recall (AR100), each picture by itself', 100 * single.ar100, '%', '', null, note)
  report('AP50, each picture by itself', 100 * single.ap50, '%', '', null, note)
  report('time of sixteen, each picture by itself', 16 * single.seconds, 's')
} finally {
  await teacher.close()
}
printReport(`tiles, ${mosaics.length} mosaics of 16 pictures`, 1, figures)
