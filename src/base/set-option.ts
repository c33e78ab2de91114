import { parse, YAMLParseError } from 'yaml'
import { UserError } from './user-error.js'

/** What an option `--set key.key=value` says. */
export interface SetOption {
  /** As the user wrote it, for messages. */
  readonly text: string
  readonly keys: readonly [string, ...string[]]
  readonly value: unknown
}

/** Reads `key.key=value`; values are YAML. Throws a UserError that quotes what cannot be read. */
export function readSetOption(text: string): SetOption {
  const [, path, yaml] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (path === undefined || yaml === undefined) throw new UserError(`--set ${text}: expected key=value.`)
  const [first = '', ...rest] = path.split('.')
  const keys = [first, ...rest] as const
  if (keys.some((key) => key === '' || key === '__proto__')) {
    throw new UserError(`--set ${text}: "${path}" is not a key: keys are words joined by points.`)
  }
  try {
    return { text, keys: [...keys], value: parse(yaml) }
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    throw new UserError(`--set ${text}: the value is not YAML: ${error.message.split('\n')[0]}`)
  }
}

/**
 * Sets a value below an object, making the objects on the way that are not there.
 *
 * @param keys at least one
 */
export function setNested(target: object, keys: readonly string[], value: unknown): void {
  const last = keys.at(-1)
  if (last === undefined) throw new Error('a value was to be set without a key')
  let object = target as Record<string, unknown>
  for (const key of keys.slice(0, -1)) {
    if (!object[key] || typeof object[key] !== 'object') object[key] = {}
    object = object[key] as Record<string, unknown>
  }
  object[last] = value
}
