import { parse, YAMLParseError } from 'yaml'
import { shownName, shownValue } from './name-list.js'
import { UserError } from './user-error.js'

/** What an option `--set key.key=value` says. */
export interface SetOption {
  /** The option as the user wrote it, for messages: `--set score.min=0.4`. */
  readonly text: string
  readonly keys: readonly [string, ...string[]]
  readonly value: unknown
}

/** Reads `key.key=value`; values are YAML. Throws a UserError that quotes what cannot be read. */
export function readSetOption(given: string): SetOption {
  const text = `--set ${given}`
  const [, path, yaml] = /^([^=]+)=(.*)$/s.exec(given) ?? []
  if (path === undefined || yaml === undefined) throw new UserError(`${text}: expected key=value.`)
  const keys = readKeys(path, text)
  try {
    return { text, keys, value: parse(yaml) }
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    throw new UserError(`${text}: the value is not YAML: ${error.message.split('\n')[0]}`)
  }
}

/** The keys of a path, which are words joined by points. Throws a UserError that begins with the option `text`. */
export function readKeys(path: string, text: string): SetOption['keys'] {
  const [first = '', ...rest] = path.split('.')
  const keys = [first, ...rest] as const
  if (keys.some((key) => key === '' || key === '__proto__')) {
    throw new UserError(`${text}: "${path}" is not a key: keys are words joined by points.`)
  }
  return keys
}

/**
 * Sets the value of an option below an object, making the objects on the way that are not there. An element of a
 * list is named by its place, from 0.
 *
 * @param from how many keys of the option lead to the object itself
 * @throws UserError where what is there has no such key: a list, a number or a text
 */
export function setNested(target: object, { text, keys, value }: SetOption, from = 0): void {
  if (keys.length <= from) throw new Error('a value was to be set without a key')
  let at: unknown = target
  for (let index = from; index < keys.length; index++) {
    const key = keys[index] as string
    const place = keys.slice(0, index).join('.')
    const isLast = index === keys.length - 1
    if (Array.isArray(at)) {
      if (!isPlace(key) || Number(key) >= at.length) throw notInList(text, place, at, key)
      if (isLast) at[Number(key)] = value
      else at = at[Number(key)]
      continue
    }
    if (typeof at !== 'object' || at === null) throw noKeys(text, place, at, key)
    const object = at as Record<string, unknown>
    if (isLast) object[key] = value
    else {
      if (!Object.hasOwn(object, key) || object[key] === null || object[key] === undefined) {
        const next = keys[index + 1] as string
        if (isPlace(next)) throw noList(text, keys.slice(0, index + 1).join('.'), next)
        object[key] = {}
      }
      at = object[key]
    }
  }
}

/** Whether a key is the place of an element in a list, from 0. */
export const isPlace = (key: string): boolean => /^(0|[1-9]\d{0,5})$/.test(key)

function notInList(text: string, place: string, list: readonly unknown[], key: string): UserError {
  const places =
    list.length === 0 ? 'it is empty' : `its elements are named by their place, 0 to ${list.length - 1}`
  return new UserError(
    `${text}: ${place} is a list, ${shownValue(list)}, without a key ${shownName(key)}: ${places}, or give all of it: --set '${place}=[…]'.`,
  )
}

function noKeys(text: string, place: string, there: unknown, key: string): UserError {
  return new UserError(
    `${text}: ${place} is ${shownValue(there)}, which has no key ${shownName(key)}: give all of it, as with --set '${place}=…' or --set '${place}={${key}: …}' where it takes keys.`,
  )
}

function noList(text: string, place: string, key: string): UserError {
  return new UserError(
    `${text}: nothing is said at ${place}, so it has no element ${key}: give all of it: --set '${place}=[…]'.`,
  )
}
