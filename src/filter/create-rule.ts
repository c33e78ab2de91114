import type { CalibrationFile } from './calibration-file.js'
import type { RuleConfig } from './config.js'
import { agreement } from './rules/agreement.js'
import { area } from './rules/area.js'
import { aspect } from './rules/aspect.js'
import { border } from './rules/border.js'
import { calibrate } from './rules/calibrate.js'
import { clip } from './rules/clip.js'
import { crossPhraseNms } from './rules/cross-phrase-nms.js'
import { duplicate } from './rules/duplicate.js'
import { frequencyScore } from './rules/frequency-score.js'
import { headScore } from './rules/head-score.js'
import { imageGate } from './rules/image-gate.js'
import { label } from './rules/label.js'
import { ladder } from './rules/ladder.js'
import { maxBoxes } from './rules/max-boxes.js'
import { maxBoxesImage } from './rules/max-boxes-image.js'
import { negative } from './rules/negative.js'
import { nested } from './rules/nested.js'
import { nms } from './rules/nms.js'
import { number } from './rules/number.js'
import { phraseRecall } from './rules/phrase-recall.js'
import type { ModelRule, RegionScorer, Rule, TextEmbedder } from './rules/rule.js'
import { score } from './rules/score.js'
import { softNms } from './rules/soft-nms.js'

/** What rules are made of besides their parameters. */
export interface RuleTools {
  /** Phrases of the dataset by head noun, for `frequency_score`. */
  readonly frequency?: ReadonlyMap<string, number>
  /** By the file that a `calibrate` rule names. */
  readonly calibrations?: ReadonlyMap<string, Pick<CalibrationFile, 'teacher' | 'calibration'>>
  /** By the folder that an `agreement` rule names. */
  readonly embedders?: ReadonlyMap<string, TextEmbedder>
  /** By the folder that a `clip` rule names. */
  readonly scorers?: ReadonlyMap<string, RegionScorer>
}

/** A rule as it is applied. */
export type Step =
  | { readonly reason: RuleConfig['rule']; readonly rule: Rule }
  | { readonly reason: RuleConfig['rule']; readonly model: ModelRule }

/** The rule that a configuration names. */
export function createRule(config: RuleConfig, tools: RuleTools = {}): Step {
  const reason = config.rule
  switch (config.rule) {
    case 'agreement':
      return { reason, model: agreement(config, toolOf(tools.embedders, config.model)) }
    case 'clip':
      return { reason, model: clip(config, toolOf(tools.scorers, config.model)) }
    default:
      return { reason, rule: pureRule(config, tools) }
  }
}

function pureRule(config: Exclude<RuleConfig, { rule: 'agreement' | 'clip' }>, tools: RuleTools): Rule {
  switch (config.rule) {
    case 'calibrate':
      return calibrate(toolOf(tools.calibrations, config.file).calibration)
    case 'score':
      return score(config)
    case 'head_score':
      return headScore(config)
    case 'frequency_score':
      return frequencyScore(config, tools.frequency ?? new Map())
    case 'ladder':
      return ladder(config)
    case 'image_gate':
      return imageGate(config)
    case 'area':
      return area(config)
    case 'aspect':
      return aspect(config)
    case 'border':
      return border(config)
    case 'label':
      return label(config)
    case 'negative':
      return negative(config)
    case 'nms':
      return nms(config)
    case 'soft_nms':
      return softNms(config)
    case 'cross_phrase_nms':
      return crossPhraseNms(config)
    case 'duplicate':
      return duplicate(config)
    case 'nested':
      return nested(config)
    case 'number':
      return number(config)
    case 'phrase_recall':
      return phraseRecall(config)
    case 'max_boxes':
      return maxBoxes(config)
    case 'max_boxes_image':
      return maxBoxesImage(config)
  }
}

function toolOf<T>(tools: ReadonlyMap<string, T> | undefined, name: string): T {
  const tool = tools?.get(name)
  if (!tool) throw new Error(`the rule's ${name} was not opened`)
  return tool
}
