import { z } from 'zod'
import { readData } from '../base/files/read-file.js'
import { nameList } from '../base/name-list.js'
import { firstIssue, inWords } from '../base/schema-words.js'
import { UserError } from '../base/user-error.js'
import { withoutNulls } from '../base/without-nulls.js'
import { readPlainPickle } from '../weights/read-plain-pickle.js'
import { entryId } from './entry-id.js'
import { readJsonList } from './read-json-list.js'

/** An id as one text (`entryId`). */
const idSchema = z
  .unknown()
  .optional()
  .transform((value, context): string => {
    const id = entryId(value)
    if (id !== undefined) return id
    context.addIssue({ code: 'custom', message: 'expected a number or a text' })
    return z.NEVER
  })
/** A sentence: an object, or its text alone. One that has no text is kept, so that it can be told of. */
const sentenceOf = (value: unknown) => {
  const { sent, sent_id } = typeof value === 'string' ? { sent: value } : (Object(value) as Json)
  return { sent: typeof sent === 'string' ? sent : undefined, sent_id: entryId(sent_id) }
}
type Json = { readonly sent?: unknown; readonly sent_id?: unknown }

const referenceSchema = z.object({
  ann_id: idSchema,
  image_id: idSchema,
  split: z.string(),
  sentences: z.array(z.unknown()).transform((all) => all.map(sentenceOf)),
})

/** A thing in a picture, and the expressions that refer to it. */
export type Reference = z.infer<typeof referenceSchema>

/** A file of references, as far as a split of it was asked for. */
export interface References {
  readonly references: readonly Reference[]
  /** Entries that are no references, of whatever split. */
  readonly problems: readonly {
    readonly problem: string
    /** The split that the entry names, if it names one. */
    readonly split?: string
    /** Place in the file's list, from 0. */
    readonly index: number
  }[]
}

/**
 * Reads REFER's references (RefCOCO, RefCOCO+, RefCOCOg, RefCLEF): a pickle such as `refs(unc).p`, which is
 * read as plain data, or the same as JSON.
 *
 * @param split which of them to take; all by default
 * @throws UserError where the file is missing, damaged or no list, where all its entries are bad, or none is
 *   of the split: then it names those that there are
 */
export async function readReferences(path: string, split?: string): Promise<References> {
  const references: Reference[] = []
  const problems: { problem: string; split?: string; index: number }[] = []
  const splits = new Set<string>()
  let index = 0
  for await (const value of entriesOf(path)) {
    const parsed = referenceSchema.safeParse(withoutNulls(value), inWords)
    if (parsed.success) {
      splits.add(parsed.data.split)
      if (split === undefined || parsed.data.split === split) references.push(parsed.data)
    } else {
      const own = (value as { readonly split?: unknown } | null)?.split
      problems.push({
        problem: `reference ${index}: ${firstIssue(parsed.error)}`,
        ...(typeof own === 'string' && { split: own }),
        index,
      })
    }
    index++
  }
  const [first, ...more] = problems
  if (first && splits.size === 0)
    throw new UserError(`${path}: ${first.problem}${more.length > 0 ? ` (and ${more.length} more)` : ''}.`)
  if (split !== undefined && references.length === 0)
    throw new UserError(`${path} has no split "${split}"; it has: ${nameList([...splits].sort())}.`)
  return { references, problems }
}

async function* entriesOf(path: string): AsyncGenerator<unknown> {
  const expected = 'a list of references'
  if (/\.json$/i.test(path)) {
    for await (const elements of readJsonList(path, expected)) yield* elements
    return
  }
  const bytes = await readData(path)
  const value = readPlainPickle(bytes, path)
  if (!Array.isArray(value)) throw new UserError(`${path}: expected ${expected}.`)
  yield* value
}
