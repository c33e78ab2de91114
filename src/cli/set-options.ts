import { parse } from 'yaml'
import { UserError } from '../user-error.js'

/** `--set key=value` options as an object; values are YAML, keys with points are nested. */
export function setOptions(assignments: readonly string[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const assignment of assignments) {
    const match = /^([^=]+)=(.*)$/s.exec(assignment)
    if (!match) throw new UserError(`--set ${assignment}: expected key=value.`)
    const keys = match[1].split('.')
    let at = object
    for (const key of keys.slice(0, -1)) {
      if (!at[key] || typeof at[key] !== 'object') at[key] = {}
      at = at[key] as Record<string, unknown>
    }
    at[keys[keys.length - 1]] = parse(match[2])
  }
  return object
}
