import { existsSync } from 'node:fs'
import { parseConfig } from '../base/files/parse-config.js'
import { readYaml } from '../base/files/parse-yaml.js'
import { findFirst } from '../base/find-first.js'
import { nameList, shortLine } from '../base/name-list.js'
import { readSetOption } from '../base/set-option.js'
import { UserError } from '../base/user-error.js'
import { chooseStage } from '../catalog/choose-stage.js'
import type { OpenDataset } from '../catalog/open-dataset.js'
import { filterConfig, proposalRules } from '../filter/config.js'
import { groundingOrigin } from '../filter/grounding-origin.js'
import type { RuleConfig } from '../filter/rules.js'
import { setFilter } from '../filter/set-filter.js'
import { oddSynonyms, synonymWarnings } from '../filter/synonym-warnings.js'
import { recordedLabels } from '../shards/recorded-labels.js'
import { note } from './terminal/print.js'

/** What names the rules of a command. */
export interface RulesAsked {
  /** A file, a filter stage of the dataset, or `default`. */
  readonly rules?: string | undefined
  readonly set: readonly string[]
  /** The grounding that is made: where it is there already, what it was made with is changed. */
  readonly as?: string
}

/** Rules that a command works with. */
export interface ChosenRules {
  readonly rules: RuleConfig[]
  /** Where a file of rules or `--set` says it. */
  readonly boxLoss?: boolean
  /** What they are from, before `--set` changed them: a filter stage, a file, `default` or `--set`. */
  readonly from: string
}

/**
 * The rules that a command works with: those of a file (a list, or the `with` of a filter stage) or of a filter stage,
 * as `--rules` names it; else those of the filter stage that was run last over these proposals; else, where none was,
 * the default ones. Then changed by `--set`, as `setFilter` reads it, and said.
 *
 * @throws UserError that names the place
 */
export async function chooseRules(
  dataset: OpenDataset,
  proposals: string,
  { rules: asked, set, as }: RulesAsked,
): Promise<ChosenRules> {
  const options = set.map(readSetOption)
  const isWhole = options.some(({ keys }) => keys.join('.') === 'rules')
  if (isWhole && asked !== undefined)
    throw new UserError(
      `--set rules=[…] gives all rules, so --rules ${asked} would be read for nothing: give one.`,
    )
  const base: Base = isWhole
    ? { config: {}, from: '--set', words: 'as --set gives them' }
    : await (asked === undefined ? lastRules(dataset, proposals, as) : namedRules(dataset, proposals, asked))
  const config: Record<string, unknown> = structuredClone({ ...base.config })
  for (const option of options) setFilter(config, option, 0, note)
  // What is wrong already in a file was told when it was read.
  const where = `--set ${set.join(' --set ')}`
  const { rules, box_loss } = parseConfig(filterConfig, config, where)
  const changed = set.length > 0 && !isWhole ? ', changed by --set' : ''
  note(`rules: ${base.words}${changed}: ${rulesText(rules)}`)
  return {
    rules,
    ...(Object.hasOwn(config, 'box_loss') && { boxLoss: box_loss }),
    from: base.from,
  }
}

interface Base {
  readonly config: object
  readonly from: string
  /** The same for people. */
  readonly words: string
}

async function namedRules(dataset: OpenDataset, proposals: string, asked: string): Promise<Base> {
  if (asked === 'default') return byDefault(dataset, proposals)
  if (dataset.groundings.includes(asked)) {
    const { rules } = await groundingOrigin(dataset, asked)
    if (rules) return ofStage(asked, rules)
    throw new UserError(
      `--rules ${asked}: the record of grounding "${asked}" has no rules: it is gold, or an older version made it.`,
    )
  }
  if (!existsSync(asked)) {
    throw new UserError(
      `--rules ${asked}: there is no such file, and ${dataset.url} has no such filter stage; it has: ${nameList(dataset.groundings.filter((name) => !(dataset.isGold && name === dataset.name))) || 'none'}.`,
    )
  }
  const read = await readYaml(asked)
  const config = Array.isArray(read) ? { rules: read } : read
  parseConfig(filterConfig, config, asked)
  return { config: config as object, from: asked, words: `the file ${asked}` }
}

async function lastRules(dataset: OpenDataset, proposals: string, as: string | undefined): Promise<Base> {
  const own = as !== undefined && dataset.groundings.includes(as) ? [as] : []
  for (const stage of [...own, ...[...dataset.groundings].reverse()]) {
    const origin = await groundingOrigin(dataset, stage)
    if (origin.proposals === proposals && origin.rules) return ofStage(stage, origin.rules)
  }
  return byDefault(dataset, proposals)
}

const ofStage = (stage: string, rules: readonly RuleConfig[]): Base => ({
  config: { rules },
  from: stage,
  words: `those of the filter stage ${stage}`,
})

/** A detector with a fixed list of labels has each box proposed for every phrase: its labels are read first. */
async function byDefault({ storage, shards }: OpenDataset, proposals: string): Promise<Base> {
  const labels = await findFirst(shards, (shard) => recordedLabels({ storage, shard }, proposals))
  const rules = labels ? proposalRules : filterConfig.parse({}).rules
  return { config: { rules }, from: 'default', words: 'the default ones' }
}

/** Rules and what they were given, in one line: `label; score min 0.4; nms iou 0.5`. */
export function rulesText(rules: readonly RuleConfig[]): string {
  const texts = rules.map(({ rule, ...parameters }) => {
    const given = Object.entries(parameters).flatMap(([key, value]) => {
      if (value === undefined || (typeof value === 'object' && Object.keys(value as object).length === 0))
        return []
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
      return [`${key} ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`]
    })
    return [rule, ...given].join(' ')
  })
  return shortLine(texts.join('; ') || 'none')
}

/** The grounding that is taken for the truth: the one that is named, else the dataset's own gold. */
export function goldOf(dataset: OpenDataset, requested: string | undefined): string {
  if (requested === undefined && dataset.isGold) return dataset.name
  if (requested !== undefined) return chooseStage(dataset, 'grounding', { requested, option: '--gold STAGE' })
  throw new UserError(
    `${dataset.url} has no gold of its own: name a grounding that is taken for the truth with --gold STAGE; it has: ${nameList(dataset.groundings) || 'none'}.`,
  )
}

/** Warns of what is odd in the synonyms of rules, and in those that words are judged by. */
export async function warnOfSynonyms(
  { storage, shards }: OpenDataset,
  proposals: string,
  rules: readonly RuleConfig[],
  judged: string | undefined,
): Promise<void> {
  const labels = await findFirst(shards, (shard) => recordedLabels({ storage, shard }, proposals))
  const odd = [
    ...(await synonymWarnings(rules, labels)),
    ...(judged === undefined ? [] : await oddSynonyms(judged, labels, '--synonyms')),
  ]
  for (const text of odd) note(`warning: ${text}`)
}
