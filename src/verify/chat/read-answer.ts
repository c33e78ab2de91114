import { z } from 'zod'
import { inWords } from '../../base/schema-words.js'

const confidence = z.number().min(0).max(1)

const answerSchema = z.object({
  boxes: z.array(z.object({ number: z.number().int(), right: z.boolean(), confidence })),
  phrase: z.object({ visible: z.boolean(), complete: z.boolean(), confidence }),
})

/** What a model says of the boxes of a phrase, and of the phrase. */
export type ChatJudgement = z.infer<typeof answerSchema>

/** The same as JSON Schema in the part of it that servers keep a model to. */
export const judgementSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['boxes', 'phrase'],
  properties: {
    boxes: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['number', 'right', 'confidence'],
        properties: {
          number: { type: 'integer' },
          right: { type: 'boolean' },
          confidence: { type: 'number' },
        },
      },
    },
    phrase: {
      type: 'object',
      additionalProperties: false,
      required: ['visible', 'complete', 'confidence'],
      properties: {
        visible: { type: 'boolean' },
        complete: { type: 'boolean' },
        confidence: { type: 'number' },
      },
    },
  },
} as const

/** Longer answers are no judgement. */
const longest = 100_000
/** Places where JSON may begin that are tried. */
const mostStarts = 100

/**
 * Reads a model's answer: JSON, or words with it in them, as models write it that are not kept to it.
 *
 * @param boxes that it was asked about, numbered from 1
 * @returns the judgement with the boxes in their order, or what is wrong with it in words
 */
export function readAnswer(
  text: string,
  boxes: number,
): { readonly judgement: ChatJudgement } | { readonly problem: string } {
  if (text.trim() === '') return { problem: 'it is empty' }
  const value = jsonIn(text.slice(0, longest))
  if (value === undefined) return { problem: 'it has no JSON object' }
  const { data, error } = answerSchema.safeParse(value, inWords)
  if (!data) {
    const [issue] = error.issues
    return { problem: `${issue?.path.join('.') || 'the object'}: ${issue?.message}` }
  }
  const byNumber = new Map(data.boxes.map((box) => [box.number, box]))
  const ordered = Array.from({ length: boxes }, (_, at) => byNumber.get(at + 1))
  const found = ordered.filter((box) => box !== undefined)
  if (found.length < boxes || data.boxes.length !== boxes)
    return {
      problem: `its boxes have the numbers ${data.boxes.map(({ number }) => number).join(', ') || 'of none'}; each of 1 to ${boxes} is needed once`,
    }
  return { judgement: { ...data, boxes: found } }
}

/** The last object in a text that could be an answer: what a model thinks aloud comes before. */
function jsonIn(text: string): unknown {
  const objects: unknown[] = []
  let at = text.indexOf('{')
  for (let tried = 0; at >= 0 && tried < mostStarts; tried++) {
    const end = endOfObject(text, at)
    const value = end === undefined ? undefined : parsed(text.slice(at, end))
    if (value !== undefined) objects.push(value)
    at = text.indexOf('{', value === undefined ? at + 1 : end)
  }
  return objects.findLast((value) => Object.hasOwn(Object(value), 'boxes')) ?? objects.at(-1)
}

/** Behind the bracket that closes the one at a place; undefined where none does. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0
  let isQuoted = false
  for (let at = start; at < text.length; at++) {
    const sign = text[at]
    if (isQuoted && sign === '\\') at++
    else if (sign === '"') isQuoted = !isQuoted
    else if (!isQuoted && sign === '{') depth++
    else if (!isQuoted && sign === '}' && --depth === 0) return at + 1
  }
  return undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
