import { z } from 'zod'
import { readData } from '../base/read-file.js'
import { UserError } from '../base/user-error.js'
import { readPlainPickle } from '../weights/read-plain-pickle.js'
import { readJsonList } from './read-json-list.js'

const idSchema = z.union([z.number(), z.string()])
const referenceSchema = z.object({
  ref_id: idSchema.optional(),
  ann_id: idSchema,
  image_id: idSchema,
  split: z.string(),
  sentences: z.array(z.object({ sent: z.string(), sent_id: idSchema.optional() })),
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
  }[]
}

/**
 * Reads REFER's references (RefCOCO, RefCOCO+, RefCOCOg, RefCLEF): a pickle such as `refs(unc).p`, which is
 * read as plain data, or the same as JSON.
 *
 * @param split which of them to take; all by default
 * @throws UserError where the file is missing, damaged or no list, or has no reference of the split: then it
 *   names those that there are
 */
export async function readReferences(path: string, split?: string): Promise<References> {
  const references: Reference[] = []
  const problems: { problem: string; split?: string }[] = []
  const splits = new Set<string>()
  let index = 0
  for await (const value of entriesOf(path)) {
    const parsed = referenceSchema.safeParse(value)
    if (parsed.success) {
      splits.add(parsed.data.split)
      if (split === undefined || parsed.data.split === split) references.push(parsed.data)
    } else {
      const [issue] = parsed.error.issues
      const own = (value as { readonly split?: unknown } | null)?.split
      problems.push({
        problem: `reference ${index}: ${issue?.path.join('.')}: ${issue?.message}`,
        ...(typeof own === 'string' && { split: own }),
      })
    }
    index++
  }
  if (split !== undefined && references.length === 0)
    throw new UserError(`${path} has no split "${split}"; it has: ${[...splits].sort().join(', ')}.`)
  return { references, problems }
}

async function* entriesOf(path: string): AsyncGenerator<unknown> {
  const expected = 'a list of references'
  if (/\.json$/i.test(path)) {
    yield* readJsonList(path, expected)
    return
  }
  const bytes = await readData(path)
  const value = readPlainPickle(bytes, path)
  if (!Array.isArray(value)) throw new UserError(`${path}: expected ${expected}.`)
  yield* value
}
