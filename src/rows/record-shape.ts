import { shortLine } from '../base/name-list.js'
import { wrongKind } from '../base/schema-words.js'
import { isName, longestName } from './family-path.js'

/**
 * What is wrong with a value of a record, with the key at which it is wrong; undefined where it is as it should be.
 * The records that every command reads are held against these, not against schemas of zod: that takes longer to load
 * than a short command to do all the rest, makes a copy of what it checks, and passes over a key `__proto__`.
 */
export type Shape = (value: unknown, key: string) => string | undefined

/** What is said of a key. */
export const ofKey = (key: string, problem: string): string =>
  shortLine(key === '' ? problem : `${key}: ${problem}`)

/** A value that a test accepts. @param expected what it should be, in words or as `wrongKind` takes it */
export const kindOf =
  (expected: string, accepts: (value: unknown) => boolean): Shape =>
  (value, key) =>
    accepts(value) ? undefined : ofKey(key, wrongKind(expected, value))

export const anything: Shape = () => undefined
export const text = kindOf('string', (value) => typeof value === 'string')
export const number = kindOf('number', Number.isFinite)
export const integer = kindOf('int', Number.isSafeInteger)

/** Whether a value counts something. */
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
export const count = kindOf('a whole number of 0 or more', isCount)

/** A name in a file that a stranger may have written and that becomes part of a path: it leads nowhere else. */
export const pathName: Shape = (value, key) =>
  text(value, key) ??
  (isName(value as string)
    ? undefined
    : ofKey(
        key,
        `expected up to ${longestName} letters, digits, hyphens, dots and underscores, the first no dot or hyphen`,
      ))

/** A key that may be missing. */
export const optional =
  (shape: Shape): Shape =>
  (value, key) =>
    value === undefined ? undefined : shape(value, key)

export const nullable =
  (shape: Shape): Shape =>
  (value, key) =>
    value === null ? undefined : shape(value, key)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const below = (key: string, name: string | number) => (key === '' ? String(name) : `${key}.${name}`)

/** An object with these keys at least. */
export function object(shapes: Readonly<Record<string, Shape>>): Shape {
  const own = Object.entries(shapes)
  return (value, key) => {
    if (!isObject(value)) return ofKey(key, wrongKind('object', value))
    for (const [name, shape] of own) {
      const problem = shape(Object.hasOwn(value, name) ? value[name] : undefined, below(key, name))
      if (problem !== undefined) return problem
    }
    return undefined
  }
}

/** An object with any keys, whose values are all of one shape. @param name what is wrong with a key, if there is something */
export const record =
  (shape: Shape, name: (key: string) => string | undefined = () => undefined): Shape =>
  (value, key) => {
    if (!isObject(value)) return ofKey(key, wrongKind('record', value))
    for (const [one, inner] of Object.entries(value)) {
      const unknown = name(one)
      const problem = unknown === undefined ? shape(inner, below(key, one)) : ofKey(key, unknown)
      if (problem !== undefined) return problem
    }
    return undefined
  }

export const list =
  (shape: Shape): Shape =>
  (value, key) => {
    if (!Array.isArray(value)) return ofKey(key, wrongKind('array', value))
    for (const [at, inner] of value.entries()) {
      const problem = shape(inner, below(key, at))
      if (problem !== undefined) return problem
    }
    return undefined
  }
