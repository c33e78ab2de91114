import type { NegativeRow, ProposalRow, VerdictKind, VerdictRow } from './rows.js'

/** Whether a value of JSON is what a teacher has found in a picture. */
export function isProposalRow(value: unknown): value is ProposalRow {
  const { key, teacher, proposals } = fieldsOf(value)
  return (
    isText(key) &&
    isText(teacher) &&
    isListOf(proposals, (proposal) => {
      const { phrase, xyxy, score, label, contrast } = fieldsOf(proposal)
      return (
        Number.isInteger(phrase) &&
        isBox(xyxy) &&
        Number.isFinite(score) &&
        isTextOrNull(label) &&
        (contrast === undefined || isNumberOrNull(contrast))
      )
    })
  )
}

/** Whether a value of JSON is what is known not to be in a picture. */
export function isNegativeRow(value: unknown): value is NegativeRow {
  const { key, teacher, negatives, exhaustive, partial } = fieldsOf(value)
  return (
    isText(key) &&
    isTextOrNull(teacher) &&
    typeof exhaustive === 'boolean' &&
    isListOf(partial, isText) &&
    isListOf(negatives, (negative) => {
      const { text, evidence, phrase, score } = fieldsOf(negative)
      return isText(text) && isText(evidence) && Number.isInteger(phrase) && isNumberOrNull(score)
    })
  )
}

const verdictKinds: readonly unknown[] = [
  'accept',
  'reject',
  'redraw',
  'add',
  'complete',
  'incomplete',
  'unseen',
] satisfies readonly VerdictKind[]

/** Whether a value of JSON is what a judge says of a picture's boxes and phrases. */
export function isVerdictRow(value: unknown): value is VerdictRow {
  const { key, verdicts } = fieldsOf(value)
  return (
    isText(key) &&
    isListOf(verdicts, (one) => {
      const { phrase, xyxy, verdict, probability, redrawn, start, end, judge, person, reason, at } =
        fieldsOf(one)
      return (
        Number.isInteger(phrase) &&
        isBoxOrNull(xyxy) &&
        verdictKinds.includes(verdict) &&
        Number.isFinite(probability) &&
        isBoxOrNull(redrawn) &&
        [start, end].every((place) => place === null || Number.isInteger(place)) &&
        isText(judge) &&
        typeof person === 'boolean' &&
        isTextOrNull(reason) &&
        isTextOrNull(at)
      )
    })
  )
}

/** The fields of what may be no object. */
const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const isBox = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 4 && value.every(Number.isFinite)
const isBoxOrNull = (value: unknown): boolean => value === null || isBox(value)
const isText = (value: unknown): boolean => typeof value === 'string'
const isTextOrNull = (value: unknown): boolean => value === null || isText(value)
const isNumberOrNull = (value: unknown): boolean => value === null || Number.isFinite(value)
const isListOf = (value: unknown, isOne: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne)
