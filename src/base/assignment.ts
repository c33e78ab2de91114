import { parse, YAMLParseError } from 'yaml'
import { UserError } from './user-error.js'

/** What `--set key.key=value` says. */
export interface Assignment {
  /** As it was given, for messages. */
  readonly text: string
  readonly keys: readonly string[]
  readonly value: unknown
}

/** Reads `key.key=value`; values are YAML. Throws a UserError that quotes what cannot be read. */
export function readAssignment(text: string): Assignment {
  const match = /^([^=]+)=(.*)$/s.exec(text)
  if (!match) throw new UserError(`--set ${text}: expected key=value.`)
  const keys = match[1].split('.')
  if (keys.some((key) => key === '' || key === '__proto__')) {
    throw new UserError(`--set ${text}: "${match[1]}" is not a key: keys are words joined by points.`)
  }
  try {
    return { text, keys, value: parse(match[2]) }
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    throw new UserError(`--set ${text}: the value is not YAML: ${error.message.split('\n')[0]}`)
  }
}

/** Puts a value below an object, making the objects on the way that are not there. */
export function assign(target: object, keys: readonly string[], value: unknown): void {
  let at = target as Record<string, unknown>
  for (const key of keys.slice(0, -1)) {
    if (!at[key] || typeof at[key] !== 'object') at[key] = {}
    at = at[key] as Record<string, unknown>
  }
  at[keys[keys.length - 1]] = value
}
