/**
 * How often is a student promoted that is no better? Cases in which teacher and students are as good by
 * construction: models that find each phrase by the same chance, and the answers of two real models swapped
 * on pictures drawn at random.
 *
 *     npm run bench:promotion -- [--cases 1000] [--run RUN --set novel --teacher teacher --student round-1-student] [--json]
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Random, random } from '../src/base/random.js'
import { type Difference, pairedBootstrap } from '../src/evaluate/compare/paired-bootstrap.js'
import type { PictureMetric } from '../src/evaluate/compare/picture-metric.js'
import { type MetricName, pictureMetric } from '../src/evaluate/compare/picture-metrics.js'
import { type PictureOutcomes, pairOutcomes } from '../src/evaluate/picture-outcomes.js'
import { evaluationName, outcomesFile } from '../src/pipeline/promotion/evaluation-record.js'
import { gatherFigures, option, printReport } from './report.js'
import { swapOutcomes } from './swap-outcomes.js'

const cases = Number(option('cases', '1000'))
const level = 0.05
const rule = { level, resamplings: 1000, margin: 0 }
const { figures, report } = gatherFigures()

const isPromoted = ({ interval }: Difference) => interval !== undefined && interval[0] > 0

/** Recall@1 of pictures with one to four phrases, each of which the model finds with that chance. */
function drawnRecall(images: number, chance: number, draw: Random): PictureMetric {
  const image = Array.from({ length: images }, (_, at) => Array<number>(1 + (at % 4)).fill(at)).flat()
  const rank = image.map(() => (draw.next() < chance ? 0 : -1))
  const pairs = pairOutcomes(new Map(), images)
  return pictureMetric('recall1', { images, phrases: { image, rank }, categories: [], pairs })
}

/** The share of the cases in which any student is promoted. */
function shareOf(name: string, drawCase: (draw: Random) => readonly PictureMetric[]): void {
  const draw = random(name)
  let promoted = 0
  for (let seed = 0; seed < cases; seed++) {
    const [teacher, ...students] = drawCase(draw)
    const images = teacher!.seen.length
    if (pairedBootstrap(teacher!, students, { ...rule, images, seed }).some(isPromoted)) promoted++
  }
  const share = promoted / cases
  report(name, share, 'of the cases', `<= ${level}`, share <= level, `${promoted} of ${cases}`)
}

for (const [images, chance] of [
  [12, 0.5],
  [50, 0.5],
  [50, 0.95],
  [200, 0.5],
  [200, 0.98],
] as const) {
  shareOf(`${images} pictures, ${chance} of the phrases found`, (draw) => [
    drawnRecall(images, chance, draw),
    drawnRecall(images, chance, draw),
  ])
}
shareOf('the best of 4 students, 200 pictures, 0.5 found', (draw) =>
  Array.from({ length: 5 }, () => drawnRecall(200, 0.5, draw)),
)

const run = option('run', '')
if (run !== '') {
  const outcomesOf = async (model: string): Promise<PictureOutcomes> => {
    const file = outcomesFile(evaluationName(model, option('set', 'novel')))
    return JSON.parse(await readFile(join(run, file), 'utf8'))
  }
  const teacher = await outcomesOf(option('teacher', 'teacher'))
  const student = await outcomesOf(option('student', 'round-1-student'))
  for (const metric of ['recall1', 'ap', 'ap50', 'cgf1'] as const satisfies readonly MetricName[]) {
    shareOf(`${metric}, answers of two models swapped`, (draw) =>
      swapOutcomes(teacher, student, draw).map((outcomes) => pictureMetric(metric, outcomes)),
    )
  }
  const start = performance.now()
  const [first, second] = [teacher, student].map((outcomes) => pictureMetric('ap', outcomes))
  pairedBootstrap(first!, [second!], { ...rule, images: teacher.images, seed: 0 })
  const seconds = (performance.now() - start) / 1000
  report('one interval of AP, 1000 resamplings', seconds, 's', '< 30', seconds < 30)
}
printReport('promotion', cases, figures)
