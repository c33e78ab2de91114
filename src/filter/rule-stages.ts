import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import type { BoxStage, ReadStages } from './filter-shard.js'
import { type RuleConfig, someRead } from './rules.js'

/** Stages of a dataset that a filter could read. */
export interface OfferedStages {
  /** In the order in which they are needed. */
  readonly boxes: readonly (BoxStage & { readonly phrases: string })[]
  readonly verdicts: readonly OfferedVerdicts[]
}

/** A stage of verdicts, and the stage whose phrases they are of; undefined where that is not known yet. */
export interface OfferedVerdicts {
  readonly stage: string
  readonly phrases: string | undefined
}

/**
 * The stages that rules read: one of proposals, or those that a rule compares, and those of verdicts that a rule
 * reads.
 *
 * @param who reads them, for messages: `Stage "kept" (filter)`
 * @throws UserError where a rule has nothing to read, or reads several stages of which it wants one
 */
export function ruleStages(rules: readonly RuleConfig[], offered: OfferedStages, who: string): ReadStages {
  const compared = comparedBy(rules, offered.boxes, who)
  const [main, ...more] = compared.sort((a, b) => Number(isGrounding(a)) - Number(isGrounding(b)))
  if (!main) throw new UserError(`${who} needs a stage that gives proposals.`)
  const stray = more.find(({ phrases }) => phrases !== main.phrases)
  if (stray)
    throw new UserError(
      `${who}: the rule \`consensus\` compares boxes of the same phrases; those of "${main.stage}" are of "${main.phrases}", those of "${stray.stage}" of "${stray.phrases}".`,
    )
  checkCalibrated(rules, compared, who)
  const others = (isGrounding(main) ? [main, ...more] : more).map(({ family, stage }) => ({ family, stage }))
  const verdicts = verdictsRead(rules, offered.verdicts, main, who)
  return {
    phrases: main.phrases,
    proposals: isGrounding(main) ? undefined : main.stage,
    ...(others.length > 0 && { others }),
    ...(verdicts.length > 0 && { verdicts }),
  }
}

const isGrounding = ({ family }: BoxStage) => family === 'grounding'

/** The stages whose boxes are candidates. */
function comparedBy(
  rules: readonly RuleConfig[],
  boxes: OfferedStages['boxes'],
  who: string,
): OfferedStages['boxes'][number][] {
  const comparing = rules.find((config) => config.rule === 'consensus')
  if (!comparing) {
    const proposals = boxes.filter((one) => !isGrounding(one))
    if (proposals.length > 1)
      throw new UserError(
        `${who} takes proposals from one stage, and needs several that give them: ${nameList(proposals.map(({ stage }) => stage))}. The rule \`consensus\` compares several.`,
      )
    return [...proposals]
  }
  const { of } = comparing
  const missing = of?.find((name) => !boxes.some(({ stage }) => stage === name))
  if (missing !== undefined)
    throw new UserError(
      `${who}: the rule \`consensus\` compares "${missing}", which is none of the proposals and groundings that it needs: ${nameList(boxes.map(({ stage }) => stage)) || 'none'}.`,
    )
  const compared = boxes.filter(({ stage }) => of === undefined || of.includes(stage))
  if (compared.length < Math.max(2, comparing.least))
    throw new UserError(
      `${who}: the rule \`consensus\` wants boxes of ${Math.max(2, comparing.least)} stages, and ${compared.length} ${compared.length === 1 ? 'is' : 'are'} there: name more proposals or groundings in \`needs\` (by command, in the rule's \`of\`).`,
    )
  return compared
}

/** A name of no stage that is read would calibrate nothing. */
function checkCalibrated(rules: readonly RuleConfig[], read: OfferedStages['boxes'], who: string): void {
  for (const config of rules) {
    if (config.rule !== 'calibrate') continue
    const { of } = config
    if (of === undefined || read.some(({ stage }) => stage === of)) continue
    throw new UserError(
      `${who}: the rule \`calibrate\` is for the scores of "${of}", which is none of the stages whose boxes are filtered: ${nameList(read.map(({ stage }) => stage))}.`,
    )
  }
}

function verdictsRead(
  rules: readonly RuleConfig[],
  offered: readonly OfferedVerdicts[],
  main: OfferedStages['boxes'][number],
  who: string,
): readonly string[] {
  if (!someRead(rules, 'verdicts')) return []
  const names = offered.map(({ stage }) => stage)
  const read = new Set<string>()
  for (const config of rules) {
    if (config.rule !== 'verdict') continue
    if (names.length === 0)
      throw new UserError(
        `${who}: the rule \`verdict\` reads what judges say, and nobody has judged boxes of the phrases "${main.phrases}": make verdicts of "${main.stage}" by a verify stage, and name it in \`needs\`, or by \`groundmill verify\`.`,
      )
    if (config.by !== undefined && !names.includes(config.by))
      throw new UserError(
        `${who}: the rule \`verdict\` reads "${config.by}", which is none of the stages of verdicts that are there: ${nameList(names)}.`,
      )
    for (const { stage, phrases } of offered) {
      if (config.by !== undefined && stage !== config.by) continue
      if (phrases !== undefined && phrases !== main.phrases)
        throw new UserError(
          `${who}: the rule \`verdict\` reads verdicts of the same phrases; the boxes of "${main.stage}" are of "${main.phrases}", the verdicts "${stage}" of "${phrases}".`,
        )
      read.add(stage)
    }
  }
  return [...read]
}
