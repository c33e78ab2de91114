/**
 * Is a second opinion better than a threshold? On toy worlds of several seeds: how precise the labels of the web are
 * at equal recall, kept by the teacher's score, by a judge that was trained on gold, by what two teachers found, and by
 * both, also where a thing has one name; whether "all found" is right; what a student learns from either. And the same curve on photographs.
 *
 *     npm run bench:verify -- [--seeds 1,2,3] [--dir runs/bench-verify] [--only curve,students,photographs] [--photos DIR --detector DIR] [--json]
 */
import { join } from 'node:path'
import { readCocoTruth } from '../src/audit/coco-truth.js'
import { groundedPictures } from '../src/audit/grounded-pictures.js'
import { packaged } from '../src/base/files/packaged.js'
import { openDataset } from '../src/catalog/open-dataset.js'
import { runWithProgress } from '../src/cli/run-with-progress.js'
import { readPipeline } from '../src/pipeline/read-pipeline.js'
import { makeWorld } from '../src/world/make-world.js'
import { readRecipe } from '../src/world/recipe.js'
import { serveFolder } from '../src/world/serve-world.js'
import { gatherFigures, mean, option, printHelp, printReport } from './report.js'
import { completeShares } from './verify/complete-shares.js'
import { bestPoint, type LabelCurve, labelCurve, precisionAt } from './verify/label-curve.js'
import { photographs } from './verify/photographs.js'
import { students } from './verify/students.js'

await printHelp(import.meta.url)
const seeds = option('seeds', '1,2,3').split(',').map(Number)
const dir = option('dir', 'runs/bench-verify')
const only = option('only', 'curve,students,photographs').split(',')
const { figures, report } = gatherFigures()
const percent = (share: number) => (100 * share).toFixed(1)

/** Thresholds of the score: that of the quickstart's filter, and the one with the best F1. */
const thresholds = {
  'score 0.55': (curve: LabelCurve) => curve.findLast(({ score }) => score >= 0.55),
  'the best F1': bestPoint,
} as const
type Threshold = keyof typeof thresholds

/** Groundings of the web, each by its own scores, told beside `by-score`. */
const ways = {
  'by-judge': 'judge alone',
  'by-consensus': 'consensus alone',
  'by-both': 'consensus of the judge alone',
  'one-name-score': 'score, one name a thing',
  'one-name-judge': 'judge, one name a thing',
  'one-name-consensus': 'consensus, one name a thing',
  'one-name-both': 'consensus of the judge, one name a thing',
} as const
type Way = keyof typeof ways
const wayNames = Object.keys(ways) as Way[]
/** What the score alone gains by a rule that any way can have is told beside, and aims at nothing. */
const isControl = (way: Way) => way === 'one-name-score'
const gains = new Map(wayNames.map((way): [Way, Record<Threshold, number | null>[]] => [way, []]))
const complete: number[] = []
const outcomes: Awaited<ReturnType<typeof students>>[] = []
for (const seed of seeds) {
  if (!only.includes('curve') && !only.includes('students')) break
  const folder = join(dir, `seed-${seed}`)
  await labelled(seed, folder)
  const truth = await readCocoTruth(join(folder, 'world/web/truth.json'), () => {})
  const { storage, shards } = await openDataset(join(folder, 'web'))
  const curveOf = (grounding: string) =>
    labelCurve(groundedPictures({ storage, shards, grounding, phrases: 'phrases' }, {}), ({ image }) =>
      truth(image),
    )
  const score = await curveOf('by-score')
  if (only.includes('curve')) {
    for (const way of wayNames) gains.get(way)!.push(tell(seed, ways[way], score, await curveOf(way)))
    const found = await completeShares(
      { storage, shards },
      { phrases: 'phrases', verdicts: 'verified' },
      truth,
    )
    complete.push(found.rightly)
    report(
      `seed ${seed}: "all found" or not, said rightly`,
      found.rightly,
      '0 to 1',
      '>= 0.8',
      found.rightly >= 0.8,
      `${found.phrases} phrases; always "no" or always "yes": ${percent(found.chance)} %; of those said to be all found ${percent(found.precision)} % are`,
    )
  }
  if (only.includes('students'))
    outcomes.push(await students(seed, folder, { score, judge: await curveOf('one-name-judge') }))
}
if (complete.length > 0) {
  for (const [way, all] of gains)
    for (const threshold of Object.keys(thresholds) as Threshold[]) {
      const own = all.map((one) => one[threshold])
      const reached = own.filter((gain) => gain !== null)
      const gain = reached.length > 0 ? 100 * mean(reached) : null
      report(
        `${ways[way]}: precision above the score's at the recall of ${threshold}`,
        gain,
        'points',
        isControl(way) ? '' : '>= 10',
        isControl(way) ? null : reached.length === own.length && gain !== null && gain >= 10,
        `seeds ${own.map((one) => (one === null ? 'not reached' : percent(one))).join(', ')}`,
      )
    }
  report('"all found" or not, said rightly', mean(complete), '0 to 1', '>= 0.8', mean(complete) >= 0.8)
}
for (const set of ['novel', 'known'] as const) {
  if (outcomes.length === 0) break
  for (const metric of ['ap50', 'recall1'] as const) {
    const own = outcomes.map((one) => one[set].verified[metric] - one[set].thresholded[metric])
    report(
      `student of verified labels above that of thresholded ones, ${metric} on ${set}`,
      100 * mean(own),
      'points',
      '',
      null,
      `seeds ${own.map(percent).join(', ')}; ${outcomes.map((one) => `${percent(one[set].verified[metric])} against ${percent(one[set].thresholded[metric])}`).join(', ')}`,
    )
  }
}
if (only.includes('photographs') && process.argv.includes('--photos'))
  await photographs(
    { photos: option('photos', ''), detector: option('detector', ''), folder: join(dir, 'photographs') },
    report,
  )
printReport('verify', seeds.length, figures)

/** Makes the world of a seed, labels its web, and judges the labels, as far as that is not done. */
async function labelled(seed: number, folder: string): Promise<void> {
  const base = await readRecipe(packaged('datasets/toy.yaml'))
  await makeWorld({ ...base, seed: base.seed + seed }, join(folder, 'world'))
  const server = await serveFolder(join(folder, 'world', 'web'))
  try {
    const set = [
      ...[`world=${join(folder, 'world')}`, `web_url=${server.url}`],
      ...[`teacher.seed=${seed}`, `teacher-b.seed=${100 + seed}`, `judge.seed=${seed}`],
    ]
    await runWithProgress(await readPipeline('bench/data/verify-toy.yaml', { set }), folder, {})
  } finally {
    await server.close()
  }
}

/** Tells a curve beside that of the score, and gives its gains at the recalls of two thresholds of the score. */
function tell(
  seed: number,
  name: string,
  score: LabelCurve,
  other: LabelCurve,
): Record<Threshold, number | null> {
  const curve = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8].map((recall) => {
    const [one, two] = [precisionAt(score, recall), precisionAt(other, recall)]
    const shown = (point: typeof one) => (point ? percent(point.precision) : '-')
    return `${shown(one)}/${shown(two)}`
  })
  const gainOf = (threshold: Threshold): number | null => {
    const at = thresholds[threshold](score)
    const there = at && precisionAt(other, at.recall)
    report(
      `seed ${seed}: ${name}, precision at the recall of ${threshold}`,
      there?.precision ?? null,
      '0 to 1',
      '',
      null,
      at
        ? `recall ${percent(at.recall)} %: the score's precision is ${percent(at.precision)} %; at recall 20 to 80 %, score/${name}: ${curve.join(' ')}`
        : 'no regions',
    )
    return at && there ? there.precision - at.precision : null
  }
  return { 'score 0.55': gainOf('score 0.55'), 'the best F1': gainOf('the best F1') }
}
