import { type Calibration, calibrated } from './calibration.js'
import type { Rule } from './rule.js'

/**
 * Replaces scores by how often a box of that score is right, as it was measured on gold (`groundmill calibrate`), so that
 * the thresholds of later rules mean the same for every teacher. Drops nothing.
 */
export function calibrate(calibration: Calibration): Rule {
  return (candidates) =>
    candidates.map((candidate) => ({ ...candidate, score: calibrated(calibration, candidate.score) }))
}
