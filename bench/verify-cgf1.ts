/**
 * cgF1 against SAM 3's own evaluator: the largest difference of any of its 26 numbers over random cases with
 * crowds, ties, pairs without boxes and predictions, and up to three truths a pair; and the time of
 * the processor that both take for scoring, and with the files read: the median of several runs.
 *
 *     npm run verify:cgf1 -- --sam3 ../sam3 [--python python3] [--cases 60] [--pairs 4000] [--json]
 *
 * What that Python needs stands in bench/verify-cgf1.py.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../src/base/random.js'
import { readDetections } from '../src/evaluate/benchmark-ids.js'
import { officialConfidence } from '../src/evaluate/cg-f1.js'
import { readSacoTruth, sacoScores } from '../src/evaluate/saco.js'
import { drawSaco } from './draw-saco.js'
import { officialScores, ownName, writeCase } from './official-cgf1.js'
import { gatherFigures, median, option, printReport, refuse } from './report.js'

const checkout = option('sam3', '')
if (checkout === '') refuse('verify:cgf1: give --sam3 FOLDER, a checkout of facebookresearch/sam3.')
const python = option('python', 'python3')
const cases = Number(option('cases', '60'))
const pairs = Number(option('pairs', '4000'))
const folder = await mkdtemp(join(tmpdir(), 'groundmill-verify-'))
const { figures, report } = gatherFigures()

/** Seconds of the processor since a reading of it. */
function seconds(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1e6
}

async function own({ truths, found }: Awaited<ReturnType<typeof writeCase>>) {
  const start = process.cpuUsage()
  const truth = await readSacoTruth(truths)
  const predictions = await readDetections(found, truth, 'pairs')
  const reading = seconds(start)
  const begin = process.cpuUsage()
  const scores = sacoScores(truth, predictions, officialConfidence)
  return { reading, scoring: seconds(begin), scores, counted: truth.pairs.length }
}

try {
  const small = Array.from({ length: cases }, (_, at) => {
    const draw = random(at, 'verify cgF1')
    const onGrid = at % 2 === 1
    const [truths, pairs] = [1 + (at % 3), 20 + draw.integer(60)]
    return drawSaco(draw, { pairs, truths, crowds: at % 5 === 0 ? 0.4 : 0.1, onGrid, partial: 0.03 })
  })
  const large = [1, 3].map((truths) =>
    drawSaco(random('verify cgF1, time'), { pairs, truths, crowds: 0.05, onGrid: false, partial: 0.03 }),
  )
  const all = [...small, ...large]
  const folders = all.map((_, at) => join(folder, `${at}`))
  const files = []
  for (const [at, one] of all.entries()) files.push(await writeCase(folders[at]!, one))
  const theirs = officialScores(
    python,
    checkout,
    folders.map((path, at) => (at < cases ? path : `${path}+`)),
  )
  const ours: Awaited<ReturnType<typeof own>>[] = []
  for (const paths of files) ours.push(await own(paths))
  const differences = theirs.map(({ stats }, at) =>
    Math.max(
      ...Object.entries(stats).map(([name, value]) => Math.abs(value - ours[at]!.scores[ownName(name)])),
    ),
  )
  const most = Math.max(...differences)
  const numbers = Object.keys(theirs[0]!.stats).length
  report(`largest difference of ${numbers} numbers, ${all.length} cases`, most, '', '< 1e-9', most < 1e-9)
  for (const [at, truths] of [1, 3].entries()) {
    const { counted } = ours[cases + at]!
    const runs: Awaited<ReturnType<typeof own>>[] = []
    for (let run = 0; run < 5; run++) runs.push(await own(files[cases + at]!))
    const scoring = median(runs.map((run) => run.scoring))
    const whole = scoring + median(runs.map((run) => run.reading))
    const official = theirs[cases + at]!
    const officialWhole = official.scoring + official.reading
    const name = `${counted} pairs, ${truths} truth${truths > 1 ? 's' : ''}`
    report(`${name}: ours`, scoring, 's')
    report(`${name}: official`, official.scoring, 's')
    const times = official.scoring / scoring
    report(`${name}: ours against official`, times, 'times as fast', '>= 10', times >= 10)
    report(`${name}: ours, files read`, whole, 's')
    report(`${name}: official, files read`, officialWhole, 's')
    report(`${name}: ours against official, files read`, officialWhole / whole, 'times as fast')
  }
  printReport('cgF1', 1, figures)
  if (Object.values(figures).some(({ met }) => met === false)) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}
