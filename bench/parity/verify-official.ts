import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readDetections } from '../../src/evaluate/benchmark-ids.js'
import { cocoAp, type Detection } from '../../src/evaluate/coco-ap.js'
import { type DetectionTruth, readDetectionTruth } from '../../src/evaluate/read-detection-truth.js'
import { detectBenchmark } from '../../src/evaluate/run-benchmark.js'
import { importModel } from '../../src/model/import-model.js'
import { decodePicture } from '../../src/pictures/picture.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import type { Teacher } from '../../src/teacher/teacher.js'
import type { Figure } from '../report.js'

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

type Images = DetectionTruth['images']

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
  const wanted = JSON.stringify({ checkout, preset, short })
  if (textOf(made) === wanted) return
  const script = fileURLToPath(new URL('official_run.py', import.meta.url))
  const options = ['--preset', preset, '--short', String(short)]
  execFileSync(python, ['-W', 'ignore', script, checkout, folder, ...options], { stdio: 'inherit' })
  writeFileSync(made, wanted)
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Imports the checkpoint as `groundmill import-model` does. */
async function importOfficial({ preset, short }: OfficialRun, folder: string): Promise<string> {
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
    changes: {},
  })
  if (written !== 'model') throw new Error(`${folder}/model.pth was not imported as a model`)
  const path = join(model, 'config.json')
  const config = JSON.parse(readFileSync(path, 'utf8'))
  const image_resize = { shortest_edge: short, longest_edge: Math.round((1333 * short) / 800) }
  writeFileSync(path, JSON.stringify({ ...config, image_resize }))
  return model
}

async function compareRuns(run: OfficialRun, folder: string): Promise<Record<string, Figure>> {
  const truth = await readDetectionTruth(join(folder, 'truth.json'))
  const official = await readDetections(join(folder, 'official.json'), truth)
  const images = join(folder, 'pictures')
  // As `benchmark` asks, but for weak boxes: of these the official code keeps all that pass its threshold.
  const model = await importOfficial(run, folder)
  const teacher = await openTeacher(model, { sizes: 'auto' })
  const config = { names_a_prompt: 1000, floor: 0, nms: 0.6, max_boxes: 100 }
  const found: Detection[] = []
  const figures: Record<string, Figure> = {}
  let [paired, of] = [0, 0]
  const ask = (asked: Teacher, image: Images[number]) =>
    detectBenchmark(
      { images: [image], categories: truth.categories },
      { teacher: asked, images, config },
      100,
    )
  for (const [place, image] of truth.images.entries()) {
    const file = image.file ?? ''
    const start = performance.now()
    const ours = await ask(teacher, image)
    const seconds = (performance.now() - start) / 1000
    const theirs = official.filter((one) => one.image === place)
    const { pairs, side, score } = pairUp(ours, theirs)
    found.push(...ours.map((one) => ({ ...one, image: place })))
    paired += pairs
    of += Math.max(theirs.length, ours.length)
    const pixels = await pixelsThatDiffer(join(images, file), join(folder, 'pixels', `${file}.rgb`))
    const note = `${pairs} of ${theirs.length} paired (${ours.length} here), sides within ${show(side)} px, scores within ${show(score)}, ${pixels}, ${seconds.toFixed(1)} s here`
    console.error(`${file}: ${note}`)
    const met = pairs === theirs.length && pairs === ours.length && side < limits.side && score < limits.score
    figures[file] = { value: side, unit: 'pixels', goal: `< ${limits.side}`, met, note }
  }
  await teacher.close()
  figures.paired = { value: paired, unit: `of ${of}`, goal: `${of}`, met: paired === of }
  // At another size the fast sizes, which are those of 800 pixels, would say nothing.
  const fast = run.short === 800 ? await compareFast(model, truth.images, found, ask) : {}
  return { ...figures, ...scoreFigures(truth.boxes, official, found, folder), ...fast }
}

/** What the fast sizes answer beside the exact ones. */
async function compareFast(
  model: string,
  images: Images,
  exact: readonly Detection[],
  ask: (teacher: Teacher, image: Images[number]) => Promise<Detection[]>,
): Promise<Record<string, Figure>> {
  const teacher = await openTeacher(model, { sizes: 'fast' })
  const figures: Record<string, Figure> = {}
  for (const [place, image] of images.entries()) {
    const start = performance.now()
    const found = await ask(teacher, image)
    const seconds = (performance.now() - start) / 1000
    const own = exact.filter((one) => one.image === place)
    const { pairs, side, score } = pairUp(found, own)
    const note = `${pairs} of ${own.length} paired, sides within ${show(side)} px, scores within ${show(score)}, ${seconds.toFixed(1)} s`
    console.error(`${image.file}, fast sizes beside exact ones: ${note}`)
    figures[`${image.file}, fast`] = { value: score, unit: 'of the score', goal: '', met: null, note }
  }
  await teacher.close()
  return figures
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

/**
 * Pairs each detection with the nearest of the same category, each of which is taken once.
 *
 * @returns how many are paired within a pixel, and the largest differences of those
 */
function pairUp(ours: readonly Detection[], theirs: readonly Detection[]) {
  const left = new Set(ours)
  let [pairs, side, score] = [0, 0, 0]
  for (const one of theirs) {
    let best: { readonly other: Detection; readonly distance: number } | undefined
    for (const other of left) {
      if (other.category !== one.category) continue
      const distance = Math.max(
        ...cornersOf(other).map((value, at) => Math.abs(value - (cornersOf(one)[at] ?? 0))),
      )
      if (!best || distance < best.distance) best = { other, distance }
    }
    if (!best || best.distance > 1) continue
    left.delete(best.other)
    pairs++
    side = Math.max(side, best.distance)
    score = Math.max(score, Math.abs(best.other.score - one.score))
  }
  return { pairs, side, score }
}

const cornersOf = ({ bbox: [x, y, w, h] }: Detection) => [x, y, x + w, y + h]

/** How the pixels that this program decodes differ from PIL's `convert('RGB')`. */
async function pixelsThatDiffer(picture: string, reference: string): Promise<string> {
  const { data } = await decodePicture(readFileSync(picture), Number.POSITIVE_INFINITY)
  const theirs = readFileSync(reference)
  if (data.length !== theirs.length) return 'pixels of another size'
  let [largest, count] = [0, 0]
  for (const [index, value] of data.entries()) {
    const difference = Math.abs(value - (theirs[index] ?? 0))
    largest = Math.max(largest, difference)
    if (difference > 0) count++
  }
  return count === 0
    ? 'pixels equal'
    : `${((100 * count) / data.length).toFixed(2)} % of values differ by up to ${largest}`
}
