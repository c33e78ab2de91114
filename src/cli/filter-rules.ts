import { parseConfig } from '../base/files/parse-config.js'
import { readYaml } from '../base/files/parse-yaml.js'
import { readSetOption, setNested } from '../base/set-option.js'
import { UserError } from '../base/user-error.js'
import { type FilterConfig, filterConfig } from '../filter/config.js'
import { type RuleConfig, ruleNames } from '../filter/rules.js'

/**
 * The rules that a command was asked for: those of a file (a list, or the `with` of a filter stage), else the
 * default ones; changed by `--set`, where `rules=[…]` gives all of them anew and `RULE.KEY=VALUE` changes
 * every rule of that name, or adds one at the end.
 *
 * @throws UserError that names the place
 */
export async function readRules(file: string | undefined, set: readonly string[]): Promise<RuleConfig[]> {
  return (await readFilter(file, set)).rules
}

/**
 * The rules as `readRules` gives them, and the `box_loss` of the file where it says one. Throws as that does.
 */
export async function readFilter(
  file: string | undefined,
  set: readonly string[],
): Promise<Pick<FilterConfig, 'rules'> & Partial<Pick<FilterConfig, 'box_loss'>>> {
  const read = file === undefined ? {} : await readYaml(file)
  const config = Array.isArray(read) ? { rules: read } : read
  const where = file ?? '--set'
  const parsed = parseConfig(filterConfig, config, where)
  let rules: Record<string, unknown>[] = parsed.rules.map((rule) => ({ ...rule }))
  for (const option of set.map(readSetOption)) {
    const [name, ...keys] = option.keys
    if (name === 'rules' && keys.length === 0) {
      rules = parseConfig(filterConfig, { rules: option.value }, `--set ${option.text}`).rules
      continue
    }
    if (keys.length === 0 || !ruleNames.includes(name)) {
      throw new UserError(
        `--set ${option.text}: expected rules=[…] or RULE.KEY=VALUE, where RULE is one of ${ruleNames.join(', ')}.`,
      )
    }
    const sameName = rules.filter(({ rule }) => rule === name)
    if (sameName.length === 0) {
      sameName.push({ rule: name })
      rules.push(...sameName)
    }
    for (const rule of sameName) setNested(rule, keys, option.value)
  }
  const hasBoxLoss = Object.hasOwn(config as object, 'box_loss')
  return {
    rules: parseConfig(filterConfig, { rules }, where).rules,
    ...(hasBoxLoss && { box_loss: parsed.box_loss }),
  }
}
