/**
 * Does a student learn what gold never named, and why? For each seed: a world, a teacher on gold, two rounds of
 * labels and students, and beside them a control that goes on with gold alone for as many steps, a student of the
 * same pictures with wrong attributes in their captions, and a teacher without negatives. For the first seed also
 * teachers of other numbers of hard negatives.
 *
 *     npm run bench:self-training -- [--seeds 1,2,3] [--teacher 2500] [--student 1500] [--web 2000] [--threads 2] [--dir runs/bench-cycle] [--json]
 */
import { join } from 'node:path'
import { iou } from '../src/boxes/iou.js'
import { unscaleBox } from '../src/boxes/xyxy.js'
import type { Evaluation } from '../src/evaluate/evaluate-model.js'
import { decodePicture } from '../src/pictures/picture.js'
import { readDataset } from '../src/shards/dataset.js'
import { joinRows } from '../src/shards/join-rows.js'
import { openStorage } from '../src/storage/open-storage.js'
import { openTeacher } from '../src/teacher/open-teacher.js'
import { type Figure, printReport } from './report.js'
import { curve, cycleOptions, runCycle, seedFigure } from './toy-cycle.js'

const models = [
  'teacher',
  'round-1-student',
  'round-2-student',
  'control',
  'scrambled-student',
  'plain',
] as const
type Model = (typeof models)[number]

interface Outcome {
  readonly known: Readonly<Record<Model, Evaluation>>
  /** The plain teacher knows no novel name either: it is not asked for them. */
  readonly novel: Readonly<Record<Exclude<Model, 'plain'>, Evaluation>>
  readonly chance: number
}

/** Teachers by how many hard negatives they were shown in a prompt at most. */
const byNegatives: { readonly count: number; readonly known: Evaluation; readonly attributes: Evaluation }[] =
  []

async function runSeed(seed: number, isFirst: boolean): Promise<Outcome> {
  const parts = ['round', 'second', 'control', 'scrambled', 'plain'] as const
  const cycle = await runCycle(seed, isFirst ? [...parts, 'curve'] : parts)
  if (isFirst) {
    const shown = [{ count: 0, model: 'plain' }, ...curve.map((count) => ({ count, model: `hard-${count}` }))]
    for (const { count, model } of shown)
      byNegatives.push({
        count,
        known: await cycle.scores(model, 'known'),
        attributes: await cycle.scores(model, 'attributes'),
      })
  }
  const scores = async <M extends Model>(of: readonly M[], set: 'known' | 'novel') =>
    Object.fromEntries(
      await Promise.all(of.map(async (model) => [model, await cycle.scores(model, set)] as const)),
    ) as Record<M, Evaluation>
  const asked = models.filter((model): model is Exclude<Model, 'plain'> => model !== 'plain')
  const dir = join(cycleOptions.folder, `seed-${seed}`)
  return {
    known: await scores(models, 'known'),
    novel: await scores(asked, 'novel'),
    chance: await chanceRecall(join(dir, 'novel'), join(dir, 'models', 'teacher')),
  }
}

/** Recall@1 of a picture's proposals drawn at random: for each phrase the share of them that hit it. */
async function chanceRecall(dataset: string, model: string): Promise<number> {
  const storage = openStorage(dataset)
  const { name, shards } = await readDataset(storage)
  const teacher = await openTeacher(model)
  const shares: number[] = []
  for (const shard of shards) {
    const parts = {
      images: { columns: ['image', 'captions'] },
      phrases: { stage: name },
      grounding: { stage: name },
    } as const
    for await (const { images, phrases, grounding } of joinRows(storage, shard, parts)) {
      const { image, captions } = images
      const { regions } = grounding
      const own = phrases.phrases.map((phrase, index) => ({ ...phrase, index }))
      const written = own.filter(({ caption }) => captions[caption]!.kind === 'gold')
      if (written.length === 0) continue
      const picture = await decodePicture(image.bytes, teacher.pictureSide)
      const spans = written.map(({ start, end }) => [start, end] as const)
      const query = { picture, text: captions[written[0]!.caption]!.text, phrases: spans }
      const [found = []] = await teacher.detect([query], { floor: 0.2, nms: 0.5, max_boxes: 10 })
      for (const { index } of written) {
        const targets = regions.filter(({ phrase }) => phrase === index).map(({ xyxy }) => xyxy)
        const hits = found.filter(({ xyxy }) => {
          const box = unscaleBox(xyxy, picture.scale)
          return targets.some((target) => iou(target, box) >= 0.5)
        })
        shares.push(found.length === 0 ? 0 : hits.length / found.length)
      }
    }
  }
  await teacher.close()
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}

const outcomes: Outcome[] = []
for (const [at, seed] of cycleOptions.seeds.entries()) outcomes.push(await runSeed(seed, at === 0))

const known = (model: Model, of: (evaluation: Evaluation) => number) =>
  outcomes.map((outcome) => of(outcome.known[model]))
const recall1 = (model: Exclude<Model, 'plain'>) => outcomes.map(({ novel }) => novel[model].recall1)
const less = (values: readonly number[], others: readonly number[]) =>
  values.map((value, at) => value - (others[at] ?? 0))

const curveFigures: Record<string, Figure> = Object.fromEntries(
  byNegatives.map(({ count, known: scores, attributes }) => [
    `${count} hard negatives: known cgF1`,
    {
      ...{ value: scores.cgf1, unit: '0 to 1', goal: '', met: null },
      note:
        `IL_MCC ${scores.il_mcc.toFixed(3)}, false presence ${scores.false_presence.toFixed(3)}, AP ${scores.ap.toFixed(3)}, ` +
        `recall@1 ${scores.recall1.toFixed(3)}, AUC of colour ${attributes.attributes?.colour.auc.toFixed(3)}, of size ${attributes.attributes?.size.auc.toFixed(3)}`,
    },
  ]),
)

printReport('self-training', outcomes.length, {
  'chance, novel recall@1': seedFigure(outcomes.map(({ chance }) => chance)),
  'teacher, novel recall@1': seedFigure(recall1('teacher')),
  'control, novel recall@1': seedFigure(recall1('control')),
  'student, novel recall@1': seedFigure(recall1('round-1-student')),
  'student over teacher': seedFigure(less(recall1('round-1-student'), recall1('teacher')), {
    least: 0.12,
    each: true,
  }),
  'student over control': seedFigure(less(recall1('round-1-student'), recall1('control')), {
    least: 0.12,
    each: true,
  }),
  'second student, novel recall@1': seedFigure(recall1('round-2-student')),
  'second over first': seedFigure(less(recall1('round-2-student'), recall1('round-1-student')), {
    least: 0.02,
  }),
  'student of wrong attributes, novel recall@1': seedFigure(recall1('scrambled-student')),
  'student over that of wrong attributes': seedFigure(
    less(recall1('round-1-student'), recall1('scrambled-student')),
    { least: 0, each: true },
  ),
  'teacher, known AP50': seedFigure(known('teacher', ({ ap50 }) => ap50)),
  'student, known AP50': seedFigure(known('round-1-student', ({ ap50 }) => ap50)),
  'teacher, known AP': seedFigure(known('teacher', ({ ap }) => ap)),
  'without negatives, known AP': seedFigure(known('plain', ({ ap }) => ap)),
  'negatives, gain of known AP': seedFigure(
    less(
      known('teacher', ({ ap }) => ap),
      known('plain', ({ ap }) => ap),
    ),
    { least: 0 },
  ),
  'teacher, known recall@1': seedFigure(known('teacher', (scores) => scores.recall1)),
  'negatives, gain of known recall@1': seedFigure(
    less(
      known('teacher', (scores) => scores.recall1),
      known('plain', (scores) => scores.recall1),
    ),
    { least: 0 },
  ),
  'teacher, known IL_MCC': seedFigure(
    known('teacher', (scores) => scores.il_mcc),
    { least: 0.6 },
  ),
  'without negatives, known IL_MCC': seedFigure(known('plain', (scores) => scores.il_mcc)),
  'student, known IL_MCC': seedFigure(known('round-1-student', (scores) => scores.il_mcc)),
  'teacher, known cgF1': seedFigure(
    known('teacher', ({ cgf1 }) => cgf1),
    { least: 0.3 },
  ),
  'without negatives, known cgF1': seedFigure(known('plain', ({ cgf1 }) => cgf1)),
  'student, known cgF1': seedFigure(known('round-1-student', ({ cgf1 }) => cgf1)),
  'teacher, known false presence': seedFigure(known('teacher', (scores) => scores.false_presence)),
  'without negatives, known false presence': seedFigure(known('plain', (scores) => scores.false_presence)),
  ...curveFigures,
})
