import type { NegativeRow, ProposalRow } from './rows.js'

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
        Array.isArray(xyxy) &&
        xyxy.length === 4 &&
        xyxy.every(Number.isFinite) &&
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

/** The fields of what may be no object. */
const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const isText = (value: unknown): boolean => typeof value === 'string'
const isTextOrNull = (value: unknown): boolean => value === null || isText(value)
const isNumberOrNull = (value: unknown): boolean => value === null || Number.isFinite(value)
const isListOf = (value: unknown, isOne: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne)
