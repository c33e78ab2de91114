import type { z } from 'zod'
import { nameList, shortLine, shownName, shownValue } from './name-list.js'
import { didYouMean } from './nearest-name.js'

/** What a schema calls a kind of value, in words. */
const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'keys with values',
  record: 'keys with values',
  null: 'null',
  undefined: 'nothing',
  never: 'nothing',
}
const kindOf = (expected: string): string => kinds[expected] ?? expected
const isNeeded = (what: string): string =>
  `it is missing: ${what} ${what.startsWith('keys') ? 'are' : 'is'} needed`

/** What was given: of lists and objects, which may be large, what they are. */
function shownGiven(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Uint8Array) return 'bytes'
  if (typeof value === 'object' && value !== null) return 'keys with values'
  return typeof value === 'number' ? String(value) : shownValue(value)
}

const shownChoice = (value: unknown): string =>
  typeof value === 'string' ? shownName(value) : shownValue(value)

/** A value that is none of those that are allowed. */
export function notAmong(value: unknown, allowed: readonly unknown[]): string {
  const near = typeof value === 'string' ? didYouMean(value, allowed.map(String)) : ''
  const what = value === undefined ? 'it is missing, and must be' : `${shownGiven(value)} is not`
  return `${what} ${allowed.length === 1 ? '' : 'one of '}${allowed.map(shownChoice).join(', ')}${near && `.${near}`}`
}

/** Keys that there are not, and those that there are. */
export function unknownKeys(keys: readonly string[], known: readonly string[], what = 'there are'): string {
  const [key = ''] = keys
  const near = keys.length === 1 ? didYouMean(key, known) : ''
  const named = keys.map((one) => JSON.stringify(one)).join(', ')
  const list = known.length > 0 ? `; ${what}: ${nameList(known, undefined, 60)}` : ''
  return `no such key${keys.length > 1 ? 's' : ''}: ${named}${list}${near && `.${near}`}`
}

type Raw = z.core.$ZodRawIssue

/** The keys that the schema of an issue has, where it is one of an object. */
function keysOf({ inst }: Raw): readonly string[] {
  const { shape } =
    (inst as { readonly _zod?: { readonly def?: { readonly shape?: object } } })?._zod?.def ?? {}
  return Object.keys(shape ?? {})
}

function tooSmall({ origin, minimum, inclusive, exact, input }: Extract<Raw, { code: 'too_small' }>): string {
  if (origin === 'string')
    return minimum === 1 ? 'it may not be empty' : `it needs ${exact ? '' : 'at least '}${minimum} letters`
  if (origin === 'array' || origin === 'set')
    return `the list needs ${exact ? '' : 'at least '}${minimum} ${minimum === 1 ? 'entry' : 'entries'}${Array.isArray(input) ? `, and has ${input.length}` : ''}`
  return `${shownGiven(input)} is too small: it must be ${inclusive ? 'at least' : 'more than'} ${minimum}`
}

function tooBig({ origin, maximum, inclusive, exact, input }: Extract<Raw, { code: 'too_big' }>): string {
  if (origin === 'string') return `it may have ${exact ? '' : 'at most '}${maximum} letters`
  if (origin === 'array' || origin === 'set')
    return `the list may have ${exact ? '' : 'at most '}${maximum} ${maximum === 1 ? 'entry' : 'entries'}${Array.isArray(input) ? `, and has ${input.length}` : ''}`
  return `${shownGiven(input)} is too large: it must be ${inclusive ? 'at most' : 'less than'} ${maximum}`
}

/** A value of another kind than that which is expected: a kind of zod's, or what it should be in words. */
export function wrongKind(expected: string, input: unknown): string {
  if (input === undefined) return isNeeded(kindOf(expected))
  return `expected ${kindOf(expected)}, not ${shownGiven(input)}`
}

/** Of a value that may be of several kinds: what these are, or what is wrong by the one that it comes nearest to. */
function noneOf({ errors, input }: Extract<Raw, { code: 'invalid_union' }>): string {
  const firsts = errors.flatMap(([first]) => (first ? [first] : []))
  const deeper = errors.find(([first]) => first && first.path.length > 0)?.[0]
  if (deeper) return `${deeper.path.join('.')}: ${deeper.message}`
  // A list that is too long is a list: what the other kinds want of it says nothing.
  const ofItsKind = firsts.filter(({ code }) => code === 'too_small' || code === 'too_big')
  if (ofItsKind.length === 1) return ofItsKind[0]?.message ?? ''
  const expected = firsts.map((one) => (one.code === 'invalid_type' ? kindOf(one.expected) : undefined))
  if (expected.length === 0 || expected.includes(undefined))
    return firsts.map(({ message }) => message).join('; or ')
  const names = [...new Set(expected)]
  return input === undefined
    ? isNeeded(names.join(' or '))
    : `expected ${names.join(' or ')}, not ${shownGiven(input)}`
}

/** What is wrong with a value by its schema, in the words of this program: the `error` of `safeParse`. */
export const schemaWords: z.core.$ZodErrorMap = (issue) => {
  const { input } = issue
  if (issue.code === 'invalid_type') return wrongKind(issue.expected, input)
  if (issue.code === 'invalid_value') return notAmong(input, issue.values)
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, keysOf(issue))
  if (issue.code === 'too_small') return tooSmall(issue)
  if (issue.code === 'too_big') return tooBig(issue)
  if (issue.code === 'not_multiple_of') return `${shownGiven(input)} is no multiple of ${issue.divisor}`
  if (issue.code === 'invalid_format') {
    const { pattern } = issue as { readonly pattern?: string }
    return `${shownGiven(input)} is not of the form ${pattern ?? issue.format}`
  }
  if (issue.code === 'invalid_union') {
    const { discriminator, options } = issue as {
      readonly discriminator?: string
      readonly options?: readonly unknown[]
    }
    if (discriminator === undefined) return noneOf(issue)
    return notAmong((input as Readonly<Record<string, unknown>> | null)?.[discriminator], options ?? [])
  }
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    const [first] = issue.issues
    return `the ${issue.code === 'invalid_key' ? 'key' : 'entry'} cannot be: ${first?.message}`
  }
  return `${shownGiven(input)} cannot be`
}

/** Given to `safeParse`, so that its issues are in these words. */
export const inWords = { error: schemaWords } as const

/**
 * The first thing that is wrong with a value by its schema: the key, where it is one's, and what was expected.
 *
 * @param whole what is named in place of a key where it is the value itself
 */
export function firstIssue({ issues: [issue] }: Pick<z.ZodError, 'issues'>, whole = ''): string {
  const key = issue?.path.join('.') || whole
  return shortLine(`${key ? `${key}: ` : ''}${issue?.message}`)
}
