import { UserError } from '../base/user-error.js'
import { zip } from '../base/zip.js'
import type { Storage } from '../storage/storage.js'
import type { CalibrationFile } from './calibration-file.js'
import { createRowFilter } from './filter-proposals.js'
import { type Gold, type GoldRow, judgeBoxes, rowsWithGold } from './rows-with-gold.js'
import {
  type Calibration,
  calibrated,
  expectedCalibrationError,
  fitIsotonic,
  fitTemperature,
  type Judged,
  reliability,
} from './rule/calibration.js'
import type { RuleTools } from './rule/rule-tools.js'
import { looksAt, type RuleConfig, ruleOf } from './rules.js'

export interface CalibrateOptions {
  readonly method: Calibration['method']
  readonly phrases: string
  readonly proposals: string
  readonly gold: Gold
  /** Which boxes count: `countingRules` of a filter's. */
  readonly rules: readonly RuleConfig[]
  readonly tools?: RuleTools
}

const fits = { isotonic: fitIsotonic, temperature: fitTemperature } as const

/** Rules that go by how high scores are, or by how many phrases those leave: what is to be measured. */
const boundsOnScores: ReadonlySet<RuleConfig['rule']> = new Set([
  'score',
  'head_score',
  'frequency_score',
  'ladder',
  'image_gate',
  'phrase_recall',
])

/** Overlap that two boxes of a phrase may have where nobody says it. */
const usualNms = 0.5

/**
 * The rules of a filter that decide which boxes count for their phrase, whatever their score: all but bounds on scores
 * and those that change scores. Of boxes of a phrase that overlap one counts, by the rule `nms`.
 *
 * @param nms overlap in the place of that of the rules
 */
export function countingRules(rules: readonly RuleConfig[], nms?: number): RuleConfig[] {
  const counting = rules.filter((config) => !boundsOnScores.has(config.rule) && !ruleOf(config).rescores)
  const own = counting.find((config) => config.rule === 'nms')
  if (own && nms === undefined) return counting
  const others = counting.filter(({ rule }) => rule !== 'nms')
  const at = others.findIndex((config) => looksAt(config) !== 'itself')
  const place = at === -1 ? others.length : at
  return [...others.slice(0, place), { rule: 'nms', iou: nms ?? usualNms }, ...others.slice(place)]
}

/** Pictures that go through the rules together. */
const windowRows = 64

/**
 * Measures on gold how often a teacher's proposals of each score are right, and fits the map that makes scores
 * say so.
 *
 * @throws UserError where gold judges no box
 */
export async function calibrateTeacher(
  storage: Storage,
  shards: readonly string[],
  { method, tools, ...stages }: CalibrateOptions,
): Promise<CalibrationFile> {
  const filter = createRowFilter(stages.rules, tools)
  const even: Judged[] = []
  const odd: Judged[] = []
  let teacher = ''
  let row = 0
  const judge = async (window: readonly GoldRow[]) => {
    for (const [{ targets }, { kept }] of zip(window, await filter(window))) {
      // Pictures, not boxes, are dealt to the halves: boxes of one picture are alike.
      const half = row % 2 === 0 ? even : odd
      row++
      for (const { box, right } of judgeBoxes(kept, targets)) half.push({ score: box.score, right })
    }
  }
  for (const shard of shards) {
    let window: GoldRow[] = []
    for await (const gold of rowsWithGold(storage, shard, stages)) {
      teacher = gold.teacher
      window.push(gold)
      if (window.length < windowRows) continue
      await judge(window)
      window = []
    }
    await judge(window)
  }
  const all = [...even, ...odd]
  if (even.length === 0 || odd.length === 0) {
    throw new UserError(
      `${storage.url}: gold "${stages.gold.grounding}" judges ${all.length} proposals of "${stages.proposals}": there must be some in two pictures at least. Are its captions or head nouns those that the teacher was asked for?`,
    )
  }
  const fitCalibration = fits[method]
  const calibratedBy = (other: readonly Judged[], half: readonly Judged[]) => {
    const calibration = fitCalibration(other)
    return half.map(({ score, right }) => ({ score: calibrated(calibration, score), right }))
  }
  const crossed = [...calibratedBy(odd, even), ...calibratedBy(even, odd)]
  return {
    version: 1,
    teacher,
    calibration: fitCalibration(all),
    judged: all.length,
    ece: { before: expectedCalibrationError(all), after: expectedCalibrationError(crossed) },
    bins: reliability(all),
  }
}
