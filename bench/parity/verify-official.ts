import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readDetections } from '../../src/evaluate/benchmark-ids.js'
import type { Detection } from '../../src/evaluate/box-table.js'
import { cocoAp } from '../../src/evaluate/coco-ap.js'
import { readDetectionTruth } from '../../src/evaluate/read-detection-truth.js'
import { detectBenchmark } from '../../src/evaluate/run-benchmark.js'
import { resizedTo } from '../../src/model/fit-picture.js'
import { importModel } from '../../src/model/import-model.js'
import type { ImageSize } from '../../src/model/network/config.js'
import { officialSizes } from '../../src/model/network/presets.js'
import { decodePicture } from '../../src/pictures/picture.js'
import { resizePicture } from '../../src/pictures/resize-picture.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import type { Figure } from '../report.js'
import { atOnePlace, pairDetections } from './pair-detections.js'
import { type Ask, compareFast, mostBoxes, type TimedAnswer } from './verify-fast-sizes.js'

export interface OfficialRun {
  readonly python: string
  /** A clone of github.com/microsoft/GLIP. */
  readonly checkout: string
  readonly preset: string
  /** Shorter side that pictures are shown at: 800 as in the official configurations, less for a quick look. */
  readonly short: number
  /** Where the run is kept; a temporary folder otherwise. An official run that is there is not run again. */
  readonly folder: string | undefined
}

/** What may differ at most: pixels of a box's side, and a score. */
const limits = { side: 1e-2, score: 1e-4 }

/**
 * The official package, whole, beside this program, whole, from files of pictures to boxes: the checkpoint that
 * it writes is imported, and both are asked for the same names in ten pictures of all aspects, profiles and
 * modes. What differs is printed picture by picture.
 */
export async function verifyOfficial(run: OfficialRun): Promise<Record<string, Figure>> {
  const folder = run.folder ?? mkdtempSync(join(tmpdir(), 'groundmill-official-'))
  mkdirSync(folder, { recursive: true })
  try {
    askOfficial(run, folder)
    return await compareRuns(run, folder)
  } finally {
    if (!run.folder) rmSync(folder, { recursive: true })
  }
}

function askOfficial({ python, checkout, preset, short }: OfficialRun, folder: string): void {
  const made = join(folder, 'made.json')
  const scripts = ['official_run.py', 'official_package.py'].map((name) =>
    fileURLToPath(new URL(name, import.meta.url)),
  )
  const wanted = JSON.stringify({ checkout, preset, short, scripts: scripts.map(hashOf) })
  if (textOf(made) === wanted) return
  console.error('asking the official package')
  const options = ['--preset', preset, '--short', String(short)]
  // Only the table is for standard output.
  execFileSync(python, ['-W', 'ignore', scripts[0] ?? '', checkout, folder, ...options], { stdio: [0, 2, 2] })
  writeFileSync(made, wanted)
}

const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Imports the checkpoint as `groundmill import-model` does. */
async function importOfficial(run: OfficialRun, folder: string): Promise<string> {
  const { preset, short } = run
  const model = join(folder, 'model')
  rmSync(model, { recursive: true, force: true })
  const { written } = await importModel({
    checkpoints: [join(folder, 'model.pth')],
    folder: model,
    preset,
    parts: ['all'],
    tokenizer: join(folder, 'vocab.txt'),
    average: false,
    allowMissing: false,
    batch: 1,
    sizes: sizesAt(short),
    changes: {},
  })
  if (written !== 'model') throw new Error(`${folder}/model.pth was not imported as a model`)
  const path = join(model, 'config.json')
  const config = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, JSON.stringify({ ...config, image_resize: resizeOf(run) }))
  return model
}

const resizeOf = ({ short }: OfficialRun) => ({
  shortest_edge: short,
  longest_edge: Math.round((1333 * short) / 800),
})

/** The official network's sizes, as large as pictures are shown here. */
function sizesAt(short: number): ImageSize[] {
  const side = (length: number) => Math.ceil((length * short) / 800 / 32) * 32
  const sizes = officialSizes.map(({ height, width }) => ({ height: side(height), width: side(width) }))
  return [...new Map(sizes.map((size) => [`${size.height}x${size.width}`, size])).values()]
}

async function compareRuns(run: OfficialRun, folder: string): Promise<Record<string, Figure>> {
  const truth = await readDetectionTruth(join(folder, 'truth.json'))
  const official = [...(await readDetections(join(folder, 'official.json'), truth))]
  const images = join(folder, 'pictures')
  console.error('importing the checkpoint')
  const model = await importOfficial(run, folder)
  // As `benchmark` asks, but for weak boxes: of these the official code keeps all that pass its threshold. One size
  // at a time is open: each takes the memory of a whole network.
  const teacher = await openTeacher(model, { sizes: 'auto', open_sizes: 1 })
  const ask: Ask = async (asked, image, boxes) => {
    const config = { names_a_prompt: 1000, floor: 0, nms: 0.6, max_boxes: boxes }
    const { width, height } = await decode(join(images, image.file ?? ''))
    const start = performance.now()
    const only = { images: [image], categories: truth.categories }
    const found = [...(await detectBenchmark(only, { teacher: asked, images, config }, boxes))]
    return { image, picture: { width, height }, found, seconds: (performance.now() - start) / 1000 }
  }
  const answers: TimedAnswer[] = []
  const figures: Record<string, Figure> = {}
  let [paired, of] = [0, 0]
  for (const [place, image] of truth.images.entries()) {
    const file = image.file ?? ''
    const answer = await ask(teacher, image, mostBoxes)
    answers.push(answer)
    const { found: ours, seconds } = answer
    const theirs = official.filter((one) => one.image === place)
    const { pairs, side, scores } = pairDetections(ours, theirs, atOnePlace)
    const score = scores.at(-1) ?? 0
    paired += pairs
    of += Math.max(theirs.length, ours.length)
    const pixels = await pixelsThatDiffer(file, folder, run)
    const note = `${pairs} of ${theirs.length} paired (${ours.length} here), sides within ${show(side)} px, scores within ${show(score)}, ${pixels}, ${seconds.toFixed(1)} s here`
    console.error(`${file}: ${note}`)
    const met = pairs === theirs.length && pairs === ours.length && side < limits.side && score < limits.score
    figures[file] = { value: side, unit: 'pixels', goal: `< ${limits.side}`, met, note }
  }
  await teacher.close()
  figures.paired = { value: paired, unit: `of ${of}`, goal: `${of}`, met: paired === of }
  const found = answers.flatMap((answer, image) => answer.found.map((one) => ({ ...one, image })))
  const scores = scoreFigures(truth.boxes, official, found, folder)
  return { ...figures, ...scores, ...(await compareFast(model, answers, ask)) }
}

/** The numbers of pycocotools and of `benchmark` on the same answers, and on those of each. */
function scoreFigures(
  gold: Parameters<typeof cocoAp>[0],
  official: readonly Detection[],
  found: readonly Detection[],
  folder: string,
): Record<string, Figure> {
  const { pycocotools } = JSON.parse(readFileSync(join(folder, 'scores.json'), 'utf8')) as {
    readonly pycocotools: readonly number[]
  }
  const largest = (numbers: readonly number[]) =>
    Math.max(...numbers.map((value, index) => Math.abs(value - (pycocotools[index] ?? Number.NaN))))
  const same = largest(Object.values(cocoAp(gold, official)))
  const own = largest(Object.values(cocoAp(gold, found)))
  return {
    'twelve numbers on the same answers': figureOf(same, 1e-9),
    'twelve numbers on the answers of each': figureOf(own, 1e-3),
  }
}

const figureOf = (value: number, limit: number): Figure => ({
  value,
  unit: 'from pycocotools',
  goal: `< ${limit}`,
  met: value < limit,
})

const show = (value: number) => value.toExponential(1)

const decode = (path: string) => decodePicture(readFileSync(path), Number.POSITIVE_INFINITY)

/**
 * How the pixels that this program decodes differ from PIL's `convert('RGB')`, and those that it shows to the
 * network from what the package resizes them to.
 */
async function pixelsThatDiffer(file: string, folder: string, run: OfficialRun): Promise<string> {
  const picture = await decode(join(folder, 'pictures', file))
  const { width, height } = resizedTo(picture, resizeOf(run))
  const kinds = [
    ['pixels', picture.data],
    ['shown', resizePicture(picture, width, height, 2).data],
  ] as const
  const differences = kinds.map(([kind, data]) =>
    difference(kind, data, readFileSync(join(folder, kind, `${file}.rgb`))),
  )
  return differences.find((one) => one !== undefined) ?? 'pixels equal, stored and shown'
}

function difference(kind: string, data: Uint8Array, theirs: Uint8Array): string | undefined {
  if (data.length !== theirs.length) return `${kind}: another size`
  let [largest, count] = [0, 0]
  for (const [index, value] of data.entries()) {
    const difference = Math.abs(value - (theirs[index] ?? 0))
    largest = Math.max(largest, difference)
    if (difference > 0) count++
  }
  const share = ((100 * count) / data.length).toFixed(2)
  return count === 0 ? undefined : `${kind}: ${share} % of values differ by up to ${largest}`
}
