/**
 * From the pixel to the logit: what a linear probe reads of a thing's colour, size and name in each layer of a
 * network of the preset `toy`, at the thing's centre, and whether the scores there say it too. Probes are
 * fitted on every other picture of the held-out sets, and asked about the others.
 *
 *     npm run bench:probe -- --run runs/bench-cycle/seed-1 [--models teacher,round-1-student,untrained]
 *       [--sets known,attributes] [--json]
 *
 * The run folder is one of `bench:labels` or `bench:self-training`, with the world's truth in `world/`. Models
 * are names in its `models/`, or paths; `untrained` has the first weights of the network of the first other
 * one, or of the teacher.
 */
import { join } from 'node:path'
import { random } from '../src/base/random.js'
import { plainPlacement, writeImage } from '../src/model/image-input.js'
import type { Picture } from '../src/pictures/picture.js'
import { areaUnderCurve } from '../src/statistics/area-under-curve.js'
import { type FeatureRows, fitLinearProbe, largestAt } from './linear-probe.js'
import { type ProbeTask, probeTasks, readThings, type Thing } from './probe-questions.js'
import { openProbedNetwork, type ProbedNetwork, type ProbedSample } from './probed-network.js'
import { type Figure, option, printReport } from './report.js'

/** What a network has at a thing's place when it is asked for the values of a task. */
interface Question {
  readonly task: ProbeTask
  readonly thing: Thing
  readonly label: number
  /** By layer, prompt after prompt where the layer reads text. */
  readonly features: Map<string, number[]>
  /** Of each value's phrase. */
  readonly scores: number[]
}

const run = option('run', 'runs/bench-cycle/seed-1')
const models = option('models', 'teacher').split(',')
const { pictures, things } = await readThings(
  join(run, 'world'),
  option('sets', 'known,attributes').split(','),
)
const tasks = probeTasks(things)
const figures: Record<string, Figure> = {}
for (const model of models) {
  const isUntrained = model === 'untrained'
  const named = isUntrained ? (models.find((other) => other !== model) ?? 'teacher') : model
  const folder = named.includes('/') ? named : join(run, 'models', named)
  const network = await openProbedNetwork(folder, isUntrained ? 'untrained' : 'trained')
  const layers = ['pixels', ...network.layers.map(({ name }) => name), 'scores']
  const questions = await ask(network)
  await network.close()
  for (const task of tasks) {
    const own = questions.filter((question) => question.task === task)
    for (const layer of layers) figures[`${model}: ${task.name}, ${layer}`] = probeFigure(own, task, layer)
    Object.assign(figures, scoreFigures(`${model}: ${task.name}`, own))
  }
}
printReport(`probe of ${things.length} things in ${pictures.length} pictures`, models.length, figures)

/** Shows the network every picture with every prompt that one of its things needs. */
async function ask(network: ProbedNetwork): Promise<Question[]> {
  const { config } = network
  const images = pictures.map((picture) => {
    const image = new Float32Array(config.image_size ** 2 * 3)
    writeImage(image, 0, picture, plainPlacement(picture, config), config)
    return image
  })
  const questions: Question[] = []
  /** By picture and prompt: the sample, and who reads its answer. */
  const samples = new Map<string, { readonly sample: ProbedSample; readonly readers: [Question, number][] }>()
  for (const thing of things)
    for (const task of tasks) {
      const label = task.labelOf(thing)
      if (label < 0) continue
      const question: Question = { task, thing, label, features: new Map(), scores: [] }
      question.features.set('pixels', meanColour(pictures[thing.picture] as Picture, thing))
      questions.push(question)
      task.promptsOf(thing).forEach((prompt, at) => {
        const key = `${thing.picture} ${prompt.text}`
        const sample = { image: images[thing.picture] as Float32Array, prompt }
        const known = samples.get(key) ?? { sample, readers: [] }
        samples.set(key, known)
        known.readers.push([question, at])
      })
    }
  const asked = [...samples.values()]
  await network.run(
    asked.map(({ sample }) => sample),
    (answer, index) => {
      for (const [{ thing, features, scores }, prompt] of asked[index]!.readers) {
        const [x1, y1, x2, y2] = thing.xyxy
        const { scale } = plainPlacement(pictures[thing.picture] as Picture, config)
        const [x, y] = [((x1 + x2) / 2) * scale, ((y1 + y2) / 2) * scale]
        for (const { name, readsText } of network.layers)
          if (readsText || prompt === 0)
            features.set(name, [...(features.get(name) ?? []), ...answer.featuresAt(name, x, y)])
        scores.push(...answer.scoresAt(x, y))
        features.set('scores', scores)
      }
    },
  )
  return questions
}

/** Red, green and blue of the middle of a thing's box, half as wide and high as the box. */
function meanColour({ width, data }: Picture, { xyxy: [x1, y1, x2, y2] }: Thing): number[] {
  const sum = [0, 0, 0]
  let count = 0
  for (let y = Math.round((3 * y1 + y2) / 4); y < Math.round((y1 + 3 * y2) / 4); y++)
    for (let x = Math.round((3 * x1 + x2) / 4); x < Math.round((x1 + 3 * x2) / 4); x++) {
      count++
      sum.forEach((value, channel) => {
        sum[channel] = value + data[(y * width + x) * 3 + channel]!
      })
    }
  return sum.map((value) => value / Math.max(1, count))
}

/** How often a probe of a layer is right about the half that it was not fitted on. */
function probeFigure(questions: readonly Question[], { values }: ProbeTask, layer: string): Figure {
  const [fitted, held] = halves(questions)
  const rows = rowsOf(held, layer)
  const labels = fitted.map(({ label }) => label)
  const accuracyWith = (given: readonly number[]) => {
    const probe = fitLinearProbe(rowsOf(fitted, layer), given, values.length)
    const predicted = probe(rows)
    return shareOf(held, ({ label }, at) => predicted[at] === label)
  }
  const most = largestAt(values.map((_, value) => labels.filter((label) => label === value).length))
  const chance = shareOf(held, ({ label }) => label === most)
  const shuffled = accuracyWith(random('shuffled labels').shuffle(labels))
  return {
    ...{ value: accuracyWith(labels), unit: '0 to 1', goal: '', met: null },
    note:
      `most frequent value ${chance.toFixed(3)}, shuffled labels ${shuffled.toFixed(3)}, ` +
      `${rows.width} features`,
  }
}

/** Whether the true value's phrase has the highest score of all, in the half that probes are asked about. */
function scoreFigures(name: string, questions: readonly Question[]): Record<string, Figure> {
  const [, held] = halves(questions)
  const auc = areaUnderCurve(
    held.map(({ scores, label }) => scores[label]!),
    held.flatMap(({ scores, label }) => scores.filter((_, value) => value !== label)),
  )
  const plain = { unit: '0 to 1', goal: '', met: null }
  return {
    [`${name}, the highest score is the true one's`]: {
      value: shareOf(held, ({ scores, label }) => largestAt(scores) === label),
      ...plain,
      note: `${held.length} things`,
    },
    [`${name}, AUC of true scores against all others`]: { value: auc, ...plain },
  }
}

function halves(questions: readonly Question[]): [Question[], Question[]] {
  return [0, 1].map((half) => questions.filter(({ thing }) => thing.picture % 2 === half)) as [
    Question[],
    Question[],
  ]
}

function rowsOf(questions: readonly Question[], layer: string): FeatureRows {
  const rows = questions.map(({ features }) => features.get(layer) ?? [])
  return { count: rows.length, width: rows[0]?.length ?? 0, data: Float64Array.from(rows.flat()) }
}

function shareOf<T>(items: readonly T[], holds: (item: T, at: number) => boolean): number {
  return items.filter(holds).length / Math.max(1, items.length)
}
