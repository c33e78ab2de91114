/**
 * Scores: of a teacher on a dataset with gold boxes, COCO's average precision and phrase recall of any boxes,
 * and how right the labels of a grounding are.
 *
 * @example
 * ```ts
 * import { cocoAp } from 'groundmill/evaluate'
 *
 * const box = { image: 0, category: 0, bbox: [10, 10, 50, 50] } as const
 * const { ap, ap75 } = cocoAp(
 *   [{ ...box, area: 2500, iscrowd: false }],
 *   [{ ...box, bbox: [12, 10, 50, 50], score: 0.9 }],
 * )
 * console.log(ap.toFixed(3), ap75.toFixed(3))
 * ```
 *
 * @module groundmill/evaluate
 */
export {
  type AuditedLabel,
  type AuditedPhrase,
  type AuditedPicture,
  type AuditSummary,
  auditLabels,
  type KindSummary,
} from '../audit/audit-labels.js'
export { auditGrounding } from '../audit/audited-pictures.js'
export type { CalibrationBin, CalibrationError } from '../audit/calibration-error.js'
export {
  type FindTruth,
  type PictureIdentity,
  readCategoryTruth,
  readCocoTruth,
} from '../audit/coco-truth.js'
export { drawSample, type SampledLabel, type SampleOptions } from '../audit/draw-sample.js'
export type { AuditOptions, GoldStage } from '../audit/grounded-pictures.js'
export { type JudgedSummary, judgeLabels } from '../audit/judge-labels.js'
export { type Judgement, readJudgements } from '../audit/judgements.js'
export { type GroundingSource, knownHeads } from '../audit/known-heads.js'
export type { PhraseKind } from '../audit/phrase-kinds.js'
export { type PlacedLabel, placedLabels } from '../audit/placed-labels.js'
export type { PictureTruth, TruthObject } from '../audit/truth.js'
export {
  type AttributeContrast,
  type AttributeScores,
  type AttributeTable,
  attributeTable,
  type ContrastScores,
} from '../evaluate/attribute-contrast.js'
export { type Detection, DetectionTable } from '../evaluate/box-table.js'
export {
  cgF1,
  countPairs,
  officialConfidence,
  type PairBoxes,
  type PairPredictions,
  type PairTruth,
} from '../evaluate/cg-f1.js'
export { type CocoSummary, cocoAp, type GroundTruth } from '../evaluate/coco-ap.js'
export { type EvaluateConfig, evaluateConfig } from '../evaluate/config.js'
export {
  categoriesOf,
  type EvaluateOptions,
  type Evaluation,
  evaluateModel,
  type WindowAnswers,
} from '../evaluate/evaluate-model.js'
export type { EvaluationSet } from '../evaluate/gold-images.js'
export {
  type AtThresholds,
  type CgF1Summary,
  cgF1Of,
  noPairs,
  type PairCounts,
} from '../evaluate/pair-counts.js'
export { type PhrasePrediction, phraseRecall } from '../evaluate/phrase-recall.js'
export type {
  CategoryOutcomes,
  PairOutcomes,
  PhraseOutcomes,
  PictureOutcomes,
} from '../evaluate/picture-outcomes.js'
export type { PresenceScores } from '../evaluate/presence-scores.js'
export type { RowParts } from '../shards/row-parts.js'
export type { Interval } from '../statistics/share-interval.js'
export type { AttributeKind } from '../words/attribute-values.js'
