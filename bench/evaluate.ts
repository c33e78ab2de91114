/**
 * COCO AP, LVIS AP and Fixed AP against pycocotools and lvis: their numbers and their time, files read
 * included; and what `groundmill benchmark lvis` takes at the size of LVIS v1 val, with 300 detections of each
 * picture.
 *
 *     npm run bench:evaluate -- [--python python3] [--truth instances.json] [--images 1000] [--lvis 19809] [--json]
 *
 * Without a Python that has pycocotools, lvis and NumPy only our own time is shown. Annotations are made up,
 * or those of `--truth`; detections are drawn around them.
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../src/base/random.js'
import { detectionsJson, readDetections } from '../src/evaluate/benchmark-ids.js'
import type { Detection } from '../src/evaluate/box-table.js'
import { cocoAp } from '../src/evaluate/coco-ap.js'
import { fixedApLimits, lvisAp, lvisLimits } from '../src/evaluate/lvis-ap.js'
import { type DetectionTruth, readDetectionTruth } from '../src/evaluate/read-detection-truth.js'
import { lvisVal, writeLvis } from './draw-lvis.js'
import { measureProcess } from './measure-process.js'
import { type Figure, option, printReport } from './report.js'

const python = option('python', '')
const pictures = Number(option('images', '1000'))
const categories = 200
const draw = random(1, 'evaluate bench')
const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))

/** An annotation file that is both COCO's and LVIS'. */
function annotations() {
  const images = []
  const boxes = []
  for (let image = 1; image <= pictures; image++) {
    const kinds = draw.shuffle(Array.from({ length: categories }, (_, at) => at + 1)).slice(0, 30)
    images.push({
      ...{ id: image, file_name: `${image}.jpg`, neg_category_ids: kinds.slice(10) },
      not_exhaustive_category_ids: kinds.slice(8, 10),
    })
    for (let at = 0; at < 12; at++) {
      const [w, h] = [Math.exp(draw.between(2, 5.5)), Math.exp(draw.between(2, 5.5))]
      const bbox = [draw.between(0, 400), draw.between(0, 300), w, h]
      boxes.push({
        ...{ id: boxes.length + 1, image_id: image, category_id: draw.pick(kinds.slice(0, 10)), bbox },
        ...{ area: w * h * draw.between(0.5, 1), iscrowd: draw.next() < 0.02 ? 1 : 0 },
      })
    }
  }
  const names = Array.from({ length: categories }, (_, at) => ({
    ...{ id: at + 1, name: `thing ${at}`, frequency: draw.pick(['r', 'c', 'f']) },
  }))
  return { images, annotations: boxes, categories: names }
}

/** About a hundred detections a picture, most of them near something, some of another category. */
function detectionsOf({ boxes, images, categories: named }: DetectionTruth): Detection[] {
  const near = boxes.flatMap(({ image, category, bbox }) =>
    Array.from({ length: 7 }, (): Detection => {
      const [x, y, w, h] = bbox
      const moved = [x + draw.normal() * 0.15 * w, y + draw.normal() * 0.15 * h, w, h] as const
      const guess = draw.next() < 0.8 ? category : draw.integer(named.length)
      return { image, category: guess, bbox: moved, score: draw.integer(1000) / 1000 }
    }),
  )
  const random = images.flatMap((_, image) =>
    Array.from({ length: 20 }, (): Detection => {
      const bbox = [
        draw.between(0, 400),
        draw.between(0, 300),
        draw.between(5, 200),
        draw.between(5, 200),
      ] as const
      return { image, category: draw.integer(named.length), bbox, score: draw.integer(1000) / 1000 }
    }),
  )
  return draw.shuffle([...near, ...random])
}

const given = option('truth', '')
const truthPath = given || join(folder, 'truth.json')
if (!given) await writeFile(truthPath, JSON.stringify(annotations()))
const truth = await readDetectionTruth(truthPath)
const foundPath = join(folder, 'found.json')
await writeFile(foundPath, detectionsJson(detectionsOf(truth), truth))

type Kind = 'coco' | 'lvis' | 'fixed'
async function own(kind: Kind) {
  const start = performance.now()
  const read = await readDetectionTruth(truthPath, kind === 'coco' ? 'coco' : 'lvis')
  const found = await readDetections(foundPath, read)
  const numbers =
    kind === 'coco' || !read.lvis
      ? cocoAp(read.boxes, found)
      : lvisAp({ ...read.lvis, boxes: read.boxes }, found, kind === 'lvis' ? lvisLimits : fixedApLimits)
  return { seconds: (performance.now() - start) / 1000, stats: Object.values(numbers) as number[] }
}

const figures: Record<string, Figure> = {}
const kinds: readonly Kind[] = typeof truth.lvis === 'string' ? ['coco'] : ['coco', 'lvis', 'fixed']
const names = { coco: 'COCO AP', lvis: 'LVIS AP', fixed: 'Fixed AP' } as const
const script = new URL('./parity/time_evaluators.py', import.meta.url).pathname
for (const kind of kinds) {
  await own(kind)
  const { seconds, stats } = await own(kind)
  figures[`${names[kind]}, ours`] = { value: seconds, unit: 's', goal: '', met: null }
  const peer = kind === 'coco' ? 'pycocotools' : 'lvis'
  if (!python) {
    figures[`${names[kind]}, ${peer}`] = {
      value: null,
      unit: 's',
      goal: '',
      met: null,
      note: 'no --python was named',
    }
    continue
  }
  const out = execFileSync(python, [script, kind, truthPath, foundPath], { encoding: 'utf8' })
  const theirs = JSON.parse(out) as { seconds: number; stats: number[] }
  const gap = Math.max(...stats.map((value, at) => Math.abs(value - theirs.stats[at]!)))
  figures[`${names[kind]}, ${peer}`] = { value: theirs.seconds, unit: 's', goal: '', met: null }
  figures[`${names[kind]}, ours against ${peer}`] = {
    value: theirs.seconds / seconds,
    unit: 'times as fast',
    goal: '> 1',
    met: theirs.seconds > seconds,
  }
  figures[`${names[kind]}, largest difference of a number`] = {
    value: gap,
    unit: '',
    goal: '< 1e-9',
    met: gap < 1e-9,
  }
}
const count = (await readDetections(foundPath, truth)).length

/** The program itself, as a user starts it, on files as LVIS' users have them. */
async function atLvisSize(pictures: number) {
  const paths = { truth: join(folder, 'lvis.json'), found: join(folder, 'results.json') }
  const boxes = await writeLvis(random('evaluate bench, LVIS'), { ...lvisVal, pictures }, paths)
  const program = new URL('../src/cli/main.ts', import.meta.url).pathname
  const files = ['--truth', paths.truth, '--predictions', paths.found, '--json']
  const { code, err, seconds, cpuSeconds, peakMb } = await measureProcess(process.execPath, [
    ...['--import', 'tsx', program, 'benchmark', 'lvis', ...files],
  ])
  if (code !== 0) throw new Error(err)
  const name = `benchmark lvis, ${pictures} pictures, ${boxes} boxes, ${pictures * lvisVal.detections} detections`
  const { size } = await stat(paths.found)
  const note = `results of ${Math.round(size / 1e6)} MB`
  figures[name] = { value: seconds, unit: 's', goal: '<= 60', met: seconds <= 60, note }
  figures[`${name}: processor`] = { value: cpuSeconds, unit: 's', goal: '', met: null }
  const met = peakMb === null ? null : peakMb <= 2000
  figures[`${name}: memory`] = { value: peakMb, unit: 'MB', goal: '<= 2000', met }
}
const lvisPictures = Number(option('lvis', String(lvisVal.pictures)))
if (lvisPictures > 0) await atLvisSize(lvisPictures)
await rm(folder, { recursive: true })
printReport(
  `evaluate, ${truth.images.length} pictures, ${truth.boxes.length} boxes, ${count} detections`,
  1,
  figures,
)
