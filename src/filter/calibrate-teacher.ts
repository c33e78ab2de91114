import { UserError } from '../base/user-error.js'
import type { Storage } from '../storage/storage.js'
import type { CalibrationFile } from './calibration-file.js'
import { createRowFilter } from './filter-proposals.js'
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
  const rules: RuleConfig[] = [{ rule: 'nms', iou: nms }]
  const filter = createRowFilter(rules)
  const halves: [Judged[], Judged[]] = [[], []]
  let teacher = ''
  let row = 0
  for (const shard of shards) {
    for await (const gold of rowsWithGold(storage, shard, { ...stages, rules })) {
      teacher = gold.teacher
      const [{ kept }] = await filter([gold])
      // Pictures, not boxes, are dealt to the halves: boxes of one picture are alike.
      const half = halves[row++ % 2]
      for (const { box, right } of judgeBoxes(kept, gold.targets)) half.push({ score: box.score, right })
    }
  }
  const all = halves.flat()
  if (halves.some(({ length }) => length === 0)) {
    throw new UserError(
      `${storage.url}: gold "${stages.gold.grounding}" judges ${all.length} boxes of "${stages.proposals}": there must be some in two pictures at least. Are its captions or head nouns those that the teacher was asked for?`,
    )
  }
  const mapOf = fits[method]
  const crossed = halves.flatMap((half, index) => {
    const map = mapOf(halves[1 - index])
    return half.map(({ score, right }) => ({ score: calibrated(map, score), right }))
  })
  return {
    version: 1,
    teacher,
    calibration: mapOf(all),
    judged: all.length,
    ece: { before: expectedCalibrationError(all), after: expectedCalibrationError(crossed) },
    bins: reliability(all),
  }
}
