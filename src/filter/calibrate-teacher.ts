import { UserError } from '../base/user-error.js'
import type { Storage } from '../storage/storage.js'
import type { CalibrationFile } from './calibration-file.js'
import { createFilter } from './filter-proposals.js'
import { type Gold, judgeBoxes, rowsWithGold } from './rows-with-gold.js'
import {
  type Calibration,
  calibrated,
  expectedCalibrationError,
  fitIsotonic,
  fitTemperature,
  type Judged,
  reliability,
} from './rule/calibration.js'
import { label } from './rules/label.js'
import type { RuleConfig } from './rules.js'

export interface CalibrateOptions {
  readonly method: Calibration['method']
  readonly phrases: string
  readonly proposals: string
  readonly gold: Gold
  /** Overlap that two boxes of a phrase may have: what suppression will drop anyway is not judged. */
  readonly nms: number
}

const fits = { isotonic: fitIsotonic, temperature: fitTemperature } as const

/**
 * Measures on gold how often a teacher's boxes of each score are right, and fits the map that makes scores
 * say so.
 *
 * @throws UserError where gold judges no box
 */
export async function calibrateTeacher(
  storage: Storage,
  shards: readonly string[],
  { method, nms, ...stages }: CalibrateOptions,
): Promise<CalibrationFile> {
  // Of a detector with a fixed list of labels the boxes that a filter would take for the phrase.
  const synonyms = stages.gold.byCategory?.synonyms
  const rules: RuleConfig[] = [
    label.schema.parse({ rule: label.name, ...(synonyms && { synonyms }) }),
    { rule: 'nms', iou: nms },
  ]
  const filter = createFilter(rules)
  const even: Judged[] = []
  const odd: Judged[] = []
  let teacher = ''
  let row = 0
  for (const shard of shards) {
    for await (const gold of rowsWithGold(storage, shard, { ...stages, rules })) {
      teacher = gold.teacher
      const { kept } = filter(gold.candidates, gold.image)
      // Pictures, not boxes, are dealt to the halves: boxes of one picture are alike.
      const half = row % 2 === 0 ? even : odd
      row++
      for (const { box, right } of judgeBoxes(kept, gold.targets)) half.push({ score: box.score, right })
    }
  }
  const all = [...even, ...odd]
  if (even.length === 0 || odd.length === 0) {
    throw new UserError(
      `${storage.url}: gold "${stages.gold.grounding}" judges ${all.length} boxes of "${stages.proposals}": there must be some in two pictures at least. Are its captions or head nouns those that the teacher was asked for?`,
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
