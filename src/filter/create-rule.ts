import type { BoxRule, BoxSource, Disagreement, ModelRule, Rule } from './rule/rule.js'
import type { NamedTools, RuleTools } from './rule/rule-tools.js'
import { asksModel, type RuleConfig, ruleOf } from './rules.js'

/** A rule as it is applied. */
export type Step = {
  readonly reason: RuleConfig['rule']
  /** Whether what it keeps has other scores. */
  readonly rescores: boolean
  /** Of a rule that compares several stages: how far they disagree on what it is given. */
  readonly disagreement?: Disagreement
  /** Of a rule that decides on each box by itself: the same as `rule`, for one of them. */
  readonly keeps?: BoxRule['keeps']
} & ({ readonly rule: Rule } | { readonly model: ModelRule })

/** The rule that a configuration names, with the tool that it asks for. */
export function createRule(config: RuleConfig, tools: RuleTools = {}): Step {
  const rule = ruleOf(config)
  const created = rule.create(config, toolOf(config, tools))
  const disagreement = rule.disagreement?.(config)
  const step = { reason: config.rule, rescores: rule.rescores, ...(disagreement && { disagreement }) }
  if (asksModel(config)) return { ...step, model: created as ModelRule }
  if (typeof created === 'function') return { ...step, rule: created as Rule }
  const { keeps } = created
  return { ...step, keeps, rule: (candidates, image) => candidates.filter((box) => keeps(box, image)) }
}

/** The tool that a rule asks for. Without counts of head nouns, none of them is frequent. */
function toolOf(config: RuleConfig, tools: RuleTools): unknown {
  const { asks } = ruleOf(config)
  if (asks === null) return undefined
  if (asks.tools === 'frequency') return tools.frequency ?? new Map()
  const path = asks.path(config)
  if (path === undefined) return undefined
  const tool = tools[asks.tools]?.get(path)
  if (!tool) throw new Error(`the rule's ${path} was not opened`)
  return tool
}

/** A file or folder that a rule names. */
export interface NamedTool {
  readonly rule: RuleConfig['rule']
  readonly tools: keyof NamedTools
  readonly path: string
}

/** The files and folders that rules name, in the order of the rules. */
export const namedTools = (configs: readonly RuleConfig[]): NamedTool[] =>
  configs.flatMap((config) => {
    const { asks } = ruleOf(config)
    if (asks === null || asks.tools === 'frequency') return []
    const path = asks.path(config)
    return path === undefined ? [] : [{ rule: config.rule, tools: asks.tools, path }]
  })

/** Throws a UserError where a tool of the rules does not fit the proposals of a teacher. */
export function checkTeacher(
  configs: readonly RuleConfig[],
  tools: RuleTools,
  sources: readonly BoxSource[],
): void {
  for (const config of configs) {
    const { asks } = ruleOf(config)
    if (asks === null || asks.tools === 'frequency' || asks.checkTeacher === null) continue
    asks.checkTeacher(config, toolOf(config, tools) as never, sources)
  }
}
