import { nameList, shownName } from '../base/name-list.js'
import { didYouMean } from '../base/nearest-name.js'
import { isPlace, type SetOption, setNested } from '../base/set-option.js'
import { UserError } from '../base/user-error.js'
import { filterConfig } from './config.js'
import { type RuleConfig, ruleNames, ruleOf } from './rules.js'

/**
 * Sets a key of a filter's configuration, as it stands in a file or as it was checked: `RULE.KEY` of the one rule of
 * that name, `rules.N.KEY` of the rule at place N from 0, or a key of the filter itself, such as `box_loss` or all
 * `rules`. Rules that are not said are those by default. A rule
 * that is not among them is added at the end.
 *
 * @param from how many keys of the option lead to the filter, such as one in `STAGE.RULE.KEY`
 * @param onAdded told in a sentence of a rule that was added
 * @throws UserError where there is no such rule or key, or where several rules have that name
 */
export function setFilter(
  config: Record<string, unknown>,
  option: SetOption,
  from: number,
  onAdded: (text: string) => void = () => {},
): void {
  const [first = '', second] = option.keys.slice(from)
  const isWhole = first === 'rules' && second === undefined
  if (isWhole || (first !== 'rules' && Object.hasOwn(filterConfig.shape, first))) {
    setNested(config, option, from)
    return
  }
  config.rules ??= filterConfig.parse({}).rules
  if (!Array.isArray(config.rules)) {
    setNested(config, option, from)
    return
  }
  const at = first === 'rules' ? from + 1 : from
  config.rules = setRule(config.rules, option, { from, at }, onAdded)
}

/** Where the filter's own keys, and where the name of the rule, stand among the keys of an option. */
interface Place {
  readonly from: number
  readonly at: number
}

function setRule(
  rules: readonly unknown[],
  option: SetOption,
  { from, at }: Place,
  onAdded: (text: string) => void,
): unknown[] {
  const { text, keys, value } = option
  const name = keys[at] as string
  const prefix = keys
    .slice(0, from)
    .map((key) => `${key}.`)
    .join('')
  const changed = [...rules]
  let place = at > from && isPlace(name) ? Number(name) : undefined
  if (place !== undefined && place >= rules.length)
    throw new UserError(
      `${text}: there is no rule ${place}: they are ${numbered(rules)}. A rule is named as in ${prefix}score.min.`,
    )
  if (place === undefined) {
    if (!ruleNames.includes(name)) throw noRule(text, name, prefix, rules)
    if (at > from)
      throw new UserError(
        `${text}: a key of a rule is named by its rule alone: ${prefix}${keys.slice(at).join('.')}. Behind \`rules\` stands a place, from 0.`,
      )
    const same = rules.flatMap((rule, index) => (nameOf(rule) === name ? [index] : []))
    if (same.length > 1) {
      const forms = same.map((index) => `${prefix}rules.${index}.${keys.slice(at + 1).join('.') || 'KEY'}`)
      throw new UserError(
        `${text}: ${same.length} of the rules are named ${name}: ${numbered(rules)}. Say which: ${forms.join(' or ')}.`,
      )
    }
    place = same[0]
  }
  if (place === undefined) {
    place = changed.length
    changed.push({ rule: name })
    const last = nameOf(rules.at(-1))
    onAdded(
      `the rule ${name} was not among the rules${last === undefined ? '' : `: it is added at the end, behind ${last}`} (${text})`,
    )
  }
  const rule = changed[place]
  const ruleName = nameOf(rule)
  if (ruleName === undefined || !ruleNames.includes(ruleName)) {
    // Not a rule: the schema says so of the whole list.
    setNested(changed, option, at)
    return changed
  }
  const { schema } = ruleOf({ rule: ruleName } as RuleConfig)
  const known = Object.keys(schema.shape).filter((key) => key !== 'rule')
  const key = keys[at + 1]
  const form = `${prefix}${at > from && isPlace(name) ? `rules.${name}` : ruleName}`
  if (key === undefined) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new UserError(
        `${text}: a key of the rule ${ruleName} is expected: ${known.map((one) => `${form}.${one}=…`).join(', ') || 'it has none'}.`,
      )
    changed[place] = { ...value, rule: ruleName }
    return changed
  }
  if (!known.includes(key)) {
    throw new UserError(
      `${text}: the rule ${ruleName} has no key ${shownName(key)}.${didYouMean(key, known)} It has: ${nameList(known)}.`,
    )
  }
  // What the schema has by default can be changed in part.
  const parsed = schema.safeParse(rule)
  const copy = structuredClone({ ...(parsed.success ? parsed.data : (rule as object)) })
  setNested(copy, option, at + 1)
  changed[place] = copy
  return changed
}

function nameOf(rule: unknown): string | undefined {
  const { rule: name } = (rule ?? {}) as { readonly rule?: unknown }
  return typeof name === 'string' ? name : undefined
}

const numbered = (rules: readonly unknown[]): string =>
  nameList(rules.map((rule, index) => `${index} ${nameOf(rule) ?? '?'}`))

function noRule(text: string, name: string, prefix: string, rules: readonly unknown[]): UserError {
  const here = rules.map((rule) => nameOf(rule) ?? '?')
  const known = [...new Set([...here, ...Object.keys(filterConfig.shape), ...ruleNames])]
  return new UserError(
    `${text}: a filter has no rule and no key ${shownName(name)}.${didYouMean(name, known)} A key of a rule is named ${prefix}RULE.KEY, such as ${prefix}score.min; the rules here are ${nameList(here)}, those there are ${nameList(ruleNames)}.`,
  )
}
