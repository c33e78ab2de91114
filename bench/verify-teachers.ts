/**
 * Makes tiny random networks of every family of teachers in Python, exports them, and holds what a teacher finds in 20
 * pictures against what the Python processors find. Prints a table of the largest differences.
 *
 *     npm run verify:teachers -- --python python3 [--ultralytics python3]
 *
 * What the first Python needs stands in bench/parity/teacher_fixtures.py (with OpenCV, else the YOLO family is left out),
 * what the second one needs in bench/parity/ultralytics_reference.py.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { packaged } from '../src/base/files/packaged.js'
import type { Xyxy } from '../src/boxes/xyxy.js'
import type { Picture } from '../src/pictures/picture.js'
import { openTeacher } from '../src/teacher/open-teacher.js'
import type { PhraseDetection, Query } from '../src/teacher/teacher.js'
import { option } from './report.js'

/** What Python found: of a phrase by its number, or with a label. */
interface Found {
  readonly score: number
  readonly xyxy: Xyxy
  readonly phrase?: number
  readonly label?: string
}

interface Case {
  readonly phrases: readonly string[]
  readonly found: readonly Found[]
}

interface Trial {
  readonly family: string
  readonly model: string
  readonly file?: string
  readonly cases: readonly Case[]
}

/** As far as two boxes may differ: a thousandth of the picture's sides, and of the scores. */
const tolerance = 1e-3
/** Half precision has 11 bits. */
const halfTolerance = 0.1

/** The pictures of test/teacher/pictures.ts. */
function picture(index: number): Picture {
  const width = 33 + ((index * 37) % 115)
  const height = 40 + ((index * 29) % 86)
  const data = new Uint8Array(width * height * 3)
  for (let at = 0; at < data.length; at++) {
    const c = at % 3
    const x = Math.floor(at / 3) % width
    const y = Math.floor(at / 3 / width)
    const squares = (((x >> 3) ^ (y >> 3)) & 1) * 70
    data[at] = x * (3 + index) + y * (5 + 2 * c) + squares + 40 * c + ((x * y) >> 5) * (c + 1)
  }
  return { width, height, data, scale: 1 }
}

const pictures = Array.from({ length: 20 }, (_, index) => picture(index))

function queryOf(shown: Picture, phrases: readonly string[]): Query {
  let at = 0
  const spans = phrases.map((phrase) => {
    at += phrase.length + 2
    return [at - phrase.length - 2, at - 2] as const
  })
  return { picture: shown, text: phrases.join(', '), phrases: spans }
}

type Row = Record<string, unknown>
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as unknown

/** The files of bench/parity/teacher_fixtures.py in one form. */
function casesOf(value: unknown): Case[] {
  return (value as readonly unknown[]).map((one): Case => {
    if (Array.isArray(one)) return { phrases: ['anything'], found: one as Found[] }
    const { phrases, found, processor } = one as Row & { readonly phrases: readonly string[] }
    if (Array.isArray(found)) {
      const rows = found as readonly (readonly Found[])[]
      return { phrases, found: rows.flatMap((boxes, phrase) => boxes.map((box) => ({ ...box, phrase }))) }
    }
    const boxes = processor as readonly {
      readonly score: number
      readonly xyxy: Xyxy
      readonly label: number
    }[]
    return { phrases, found: boxes.map(({ score, xyxy, label }) => ({ score, xyxy, phrase: label })) }
  })
}

/** Two phrases may have the same words: a box counts for both. */
function isSame(own: PhraseDetection, wanted: Found, phrases: readonly string[]): boolean {
  return wanted.phrase === undefined
    ? own.label === wanted.label
    : phrases[own.phrase] === phrases[wanted.phrase]
}

const clipped = ([x1, y1, x2, y2]: Xyxy, { width, height }: Picture): Xyxy => [
  Math.max(0, x1),
  Math.max(0, y1),
  Math.min(width, x2),
  Math.min(height, y2),
]

/** The largest differences of Python's boxes, as shares of the sides, and scores from the nearest of ours. */
async function compare({ model, file, cases }: Trial) {
  const teacher = await openTeacher(model, { threads: 1, ...(file && { file }) })
  try {
    const queries = cases.map(({ phrases }, index) => queryOf(pictures[index]!, phrases))
    const answers = await teacher.detect(queries, { floor: 0, nms: 1, max_boxes: 10_000 })
    const largest = { boxes: 0, box: 0, score: 0 }
    for (const [index, { phrases, found }] of cases.entries()) {
      const shown = pictures[index]!
      for (const wanted of found) {
        const box = clipped(wanted.xyxy, shown)
        if (box[2] <= box[0] || box[3] <= box[1]) continue
        largest.boxes++
        let nearest = { box: 1, score: 1 }
        for (const own of answers[index]!) {
          if (!isSame(own, wanted, phrases)) continue
          const sides = own.xyxy.map(
            (side, at) => Math.abs(side - box[at]!) / (at % 2 === 0 ? shown.width : shown.height),
          )
          const apart = { box: Math.max(...sides), score: Math.abs(own.score - wanted.score) }
          if (Math.max(apart.box, apart.score) < Math.max(nearest.box, nearest.score)) nearest = apart
        }
        largest.box = Math.max(largest.box, nearest.box)
        largest.score = Math.max(largest.score, nearest.score)
      }
    }
    return largest
  } finally {
    await teacher.close()
  }
}

function run(python: string, script: string, args: readonly string[]): void {
  const { status } = spawnSync(python, ['-W', 'ignore', packaged(script), ...args], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${python} ${script} ended with ${status}`)
}

function trialsOf(folder: string): Trial[] {
  const trials: Trial[] = []
  const add = (family: string, cases: unknown, files: readonly (string | undefined)[] = [undefined]) => {
    for (const file of files)
      trials.push({ family, model: join(folder, family), cases: casesOf(cases), ...(file && { file }) })
  }
  const of = (name: string) => read(join(folder, `${name}.json`))
  add('grounding-dino', of('grounding-dino'))
  add('mm-grounding-dino', of('mm-grounding-dino'), [undefined, 'model_fp16'])
  add('omdet-turbo', of('omdet-turbo'), [undefined, 'model_fp16'])
  add('owlvit', (of('owlvit') as Row).default, [undefined, 'model_fp16'])
  add('owlv2', (of('owlv2') as Row).default)
  add('sam3', of('sam3'), [undefined, 'model', 'model_fp16'])
  for (const name of ['detr', 'rt_detr', 'rt_detr_v2', 'torchvision']) add(name, of(name))
  if (!existsSync(join(folder, 'yolo.json'))) return trials
  for (const [name, cases] of Object.entries(of('yolo') as Row))
    trials.push({ family: 'yolo', model: join(folder, 'yolo', `${name}.onnx`), cases: casesOf(cases) })
  add('yolo-world', of('yolo-world'))
  return trials
}

const folder = await mkdtemp(join(tmpdir(), 'groundmill-verify-'))
let failed = 0
try {
  const python = option('python', 'python3')
  const ultralytics = option('ultralytics', '')
  const hasOpenCv = spawnSync(python, ['-c', 'import cv2'], { stdio: 'ignore' }).status === 0
  const made = ['grounding-dino', 'mm-grounding-dino', 'omdet-turbo', 'owlvit', 'owlv2', 'sam3', 'detr']
  const more = ['rt_detr', 'rt_detr_v2', 'torchvision', ...(hasOpenCv ? ['yolo', 'yolo-world'] : [])]
  run(python, 'bench/parity/teacher_fixtures.py', ['--into', folder, ...made, ...more])
  const trials = trialsOf(folder)
  if (ultralytics) {
    const exported = join(folder, 'ultralytics')
    run(ultralytics, 'bench/parity/ultralytics_reference.py', [exported])
    for (const file of readdirSync(exported).filter((name) => name.endsWith('.json')))
      trials.push({
        family: 'Ultralytics',
        model: join(exported, file.replace(/json$/, 'onnx')),
        cases: casesOf(read(join(exported, file))),
      })
  }
  console.log(
    '| family | file | pictures | boxes | boxes differ by | scores by |\n| --- | --- | --- | --- | --- | --- |',
  )
  for (const trial of trials) {
    const { boxes, box, score } = await compare(trial)
    const name = trial.file ?? (trial.model.endsWith('.onnx') ? basename(trial.model, '.onnx') : 'as found')
    const isHalf = /fp16|half/.test(name)
    if (boxes === 0 || Math.max(box, score) > (isHalf ? halfTolerance : tolerance)) failed++
    console.log(
      `| ${trial.family} | ${name} | ${trial.cases.length} | ${boxes} | ${box.toExponential(1)} | ${score.toExponential(1)} |`,
    )
  }
} finally {
  await rm(folder, { recursive: true })
}
if (failed > 0) console.log(`${failed} of them differ by more than they may`)
process.exitCode = failed > 0 ? 1 : 0
