/**
 * Filters: rules that choose from a teacher's proposals.
 *
 * @example
 * ```ts
 * import { createFilter } from 'groundmill/filter'
 *
 * const filter = createFilter([
 *   { rule: 'score', min: 0.5 },
 *   { rule: 'nms', iou: 0.5 },
 * ])
 * const phrases = [{ caption: 0, text: 'a dog', start: 0, end: 5, head: 'dog' }]
 * const { kept, dropped } = filter(
 *   [
 *     { phrase: 0, xyxy: [10, 10, 60, 60], score: 0.9, label: null },
 *     { phrase: 0, xyxy: [12, 10, 60, 60], score: 0.7, label: null },
 *     { phrase: 0, xyxy: [70, 70, 90, 90], score: 0.2, label: null },
 *   ],
 *   { width: 100, height: 100, phrases },
 * )
 * console.log(kept.length, dropped)
 * ```
 *
 * @module groundmill/filter
 */

export type { Xyxy } from '../boxes/xyxy.js'
export { type CalibrationFile, readCalibration } from '../filter/calibration-file.js'
export { compareRegions, type RegionChanges } from '../filter/compare-regions.js'
export { type FilterConfig, filterConfig } from '../filter/config.js'
export {
  type BoxList,
  createFilter,
  createRowFilter,
  type Filtered,
  type RowFilter,
} from '../filter/filter-proposals.js'
export type { Calibration, MeasuredCalibration, ReliabilityBin } from '../filter/rule/calibration.js'
export type {
  BoxSource,
  Candidate,
  FilterImage,
  FilterRow,
  Relabelling,
  StageVerdict,
} from '../filter/rule/rule.js'
export type { NamedTools, RegionScorer, RuleTools, TextEmbedder } from '../filter/rule/rule-tools.js'
export { type RuleConfig, ruleSchema } from '../filter/rules.js'
export type { Phrase, PhraseDisagreement, Proposal, Region, Verdict, VerdictKind } from '../rows/rows.js'
export { readSynonyms, type Synonyms } from '../words/read-synonyms.js'
