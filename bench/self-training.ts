/**
 * Does a student learn what gold never named? For each seed: a world, a teacher on gold, its labels of the
 * web, a student on both, and a control that goes on with gold alone for as many steps.
 *
 *     npm run bench:self-training -- [--seeds 1,2,3] [--teacher 2500] [--student 1500] [--threads 2] [--dir runs/bench] [--json]
 */
import { join } from 'node:path'
import { iou } from '../src/boxes/iou.js'
import { runWithProgress } from '../src/cli/run-with-progress.js'
import type { Evaluation } from '../src/evaluate/evaluate-model.js'
import { decodePicture } from '../src/pictures/picture.js'
import type { Stage } from '../src/pipeline/config.js'
import { readPipeline } from '../src/pipeline/read-pipeline.js'
import { readRunRecord } from '../src/pipeline/stages/run-record.js'
import { readDataset } from '../src/shards/dataset.js'
import { joinRows } from '../src/shards/join-rows.js'
import { openStorage } from '../src/storage/open-storage.js'
import { openTeacher } from '../src/teacher/open-teacher.js'
import { makeWorld } from '../src/world/make-world.js'
import { readRecipe } from '../src/world/recipe.js'
import { serveFolder } from '../src/world/serve-world.js'
import { type Figure, option, printReport } from './report.js'

const seeds = option('seeds', '1,2,3').split(',').map(Number)
const teacherSteps = Number(option('teacher', '2500'))
const studentSteps = Number(option('student', '1500'))
const threads = option('threads', '0')
const folder = option('dir', 'runs/bench-self-training')

interface Outcome {
  readonly teacher: Evaluation
  readonly knownTeacher: Evaluation
  readonly student: Evaluation
  readonly knownStudent: Evaluation
  readonly control: Evaluation
  readonly chance: number
}

async function runSeed(seed: number): Promise<Outcome> {
  const dir = join(folder, `seed-${seed}`)
  const recipe = await readRecipe('datasets/toy.yaml')
  const splits = { gold: 2000, web: 3000, known: 200, novel: 200, attributes: 200 }
  await makeWorld({ ...recipe, seed: recipe.seed + seed, splits }, join(dir, 'world'))
  const server = await serveFolder(join(dir, 'world', 'web'))
  try {
    const set = [
      `world=${join(dir, 'world')}`,
      `web_url=${server.url}`,
      `teacher.steps=${teacherSteps}`,
      `teacher.seed=${seed}`,
      `teacher.threads=${threads}`,
      `rounds.train.threads=${threads}`,
      `rounds.teach.threads=${threads}`,
      `rounds.train.steps=${studentSteps}`,
      `rounds.train.seed=${seed}`,
    ]
    const pipeline = await readPipeline('pipelines/self-training.yaml', { set, rounds: 1 })
    const student = pipeline.stages.find(({ name }) => name === 'round-1-student') as Stage & {
      uses: 'train'
    }
    const control: Stage = { ...student, name: 'control', needs: ['gold', 'teacher'] }
    const evaluations = ['known', 'novel'].map((held): Stage => {
      const like = pipeline.stages.find(({ name }) => name === `teacher-on-${held}`) as Stage & {
        uses: 'evaluate'
      }
      return { ...like, name: `control-on-${held}`, needs: [held, 'control'] }
    })
    await runWithProgress({ ...pipeline, stages: [...pipeline.stages, control, ...evaluations] }, dir, {})
  } finally {
    await server.close()
  }
  const scores = async (model: string, held: string) => {
    const record = await readRunRecord<Evaluation>(openStorage(dir), `evaluations/${model}-on-${held}.json`)
    if (!record) throw new Error(`no evaluation of ${model} on ${held}`)
    return record.result
  }
  return {
    teacher: await scores('teacher', 'novel'),
    knownTeacher: await scores('teacher', 'known'),
    student: await scores('round-1-student', 'novel'),
    knownStudent: await scores('round-1-student', 'known'),
    control: await scores('control', 'novel'),
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
          const box = xyxy.map((value) => value / picture.scale) as unknown as typeof xyxy
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
for (const seed of seeds) outcomes.push(await runSeed(seed))

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const figure = (
  of: (outcome: Outcome) => number,
  goal = '',
  met: (value: number) => boolean | null = () => null,
): Figure => {
  const values = outcomes.map(of)
  const value = mean(values)
  const note = `seeds ${values.map((one) => one.toFixed(3)).join(', ')}`
  return { value, unit: '0 to 1', goal, met: met(value), note }
}
printReport('self-training', outcomes.length, {
  'teacher, known AP50': figure(
    ({ knownTeacher }) => knownTeacher.ap50,
    '>= 0.60',
    (value) => value >= 0.6,
  ),
  'student, known AP50': figure(({ knownStudent }) => knownStudent.ap50),
  'chance, novel recall@1': figure(({ chance }) => chance),
  'teacher, novel recall@1': figure(({ teacher }) => teacher.recall1),
  'control, novel recall@1': figure(({ control }) => control.recall1),
  'student, novel recall@1': figure(({ student }) => student.recall1),
  'student over teacher': figure(
    ({ student, teacher }) => student.recall1 - teacher.recall1,
    '>= 0.05',
    (value) => value >= 0.05,
  ),
  'student over control': figure(({ student, control }) => student.recall1 - control.recall1),
  'student over chance': figure(({ student, chance }) => student.recall1 - chance),
  'teacher, novel AP50': figure(({ teacher }) => teacher.ap50),
  'control, novel AP50': figure(({ control }) => control.ap50),
  'student, novel AP50': figure(({ student }) => student.ap50),
})
