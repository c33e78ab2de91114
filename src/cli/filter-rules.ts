import { assign, readAssignment } from '../base/assignment.js'
import { parseConfig, readYaml } from '../base/parse-config.js'
import { UserError } from '../base/user-error.js'
import { type FilterConfig, filterConfig } from '../filter/config.js'
import { type RuleConfig, ruleNames } from '../filter/rules.js'

/**
 * The rules that a command was asked for: those of a file (a list, or the `with` of a filter stage), else the default
 * ones; changed by `--set`, where `rules=[…]` gives all of them anew and `RULE.KEY=VALUE` changes every rule of that name,
 * or adds one at the end.
 *
 * @throws UserError that names the place
 */
export async function readRules(file: string | undefined, set: readonly string[]): Promise<RuleConfig[]> {
  return (await readFilter(file, set)).rules
}

/** The rules as `readRules` gives them, and the `box_loss` of the file where it says one. Throws as that does. */
export async function readFilter(
  file: string | undefined,
  set: readonly string[],
): Promise<Pick<FilterConfig, 'rules'> & Partial<Pick<FilterConfig, 'box_loss'>>> {
  const read = file === undefined ? {} : await readYaml(file)
  const said = Array.isArray(read) ? { rules: read } : read
  const where = file ?? '--set'
  const given = parseConfig(filterConfig, said, where)
  let rules: Record<string, unknown>[] = given.rules.map((rule) => ({ ...rule }))
  for (const assignment of set.map(readAssignment)) {
    const [name, ...keys] = assignment.keys
    if (name === 'rules' && keys.length === 0) {
      rules = parseConfig(filterConfig, { rules: assignment.value }, `--set ${assignment.text}`).rules
      continue
    }
    if (keys.length === 0 || !ruleNames.includes(name)) {
      throw new UserError(
        `--set ${assignment.text}: expected rules=[…] or RULE.KEY=VALUE, where RULE is one of ${ruleNames.join(', ')}.`,
      )
    }
    const meant = rules.filter(({ rule }) => rule === name)
    if (meant.length === 0) {
      meant.push({ rule: name })
      rules.push(...meant)
    }
    for (const rule of meant) assign(rule, keys, assignment.value)
  }
  const saysBoxLoss = Object.hasOwn(said as object, 'box_loss')
  return {
    rules: parseConfig(filterConfig, { rules }, where).rules,
    ...(saysBoxLoss && { box_loss: given.box_loss }),
  }
}
