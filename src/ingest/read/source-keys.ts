/** The keys of an ingest stage that several formats share. */
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { unknownKeys } from '../../base/schema-words.js'
import { fetchConfig } from '../fetch/fetch-config.js'
import { imageConfig } from '../image/image-config.js'

const count = z.number().int().positive()
/** A column by its name, or by its number from 0. */
export const column = z.union([z.string(), z.number().int().min(0)])

/** A text that need not be given. */
export const optionalText = (description: string) => z.string().optional().describe(description)

export const listPath = optionalText(
  'the list: a file, a folder of files or a pattern; of this machine, of a bucket (s3://BUCKET/KEY) or of the Hugging Face Hub (hf://datasets/ORG/NAME[@REVISION][/PATH])',
)

export const imageFolder = optionalText('the folder of pictures')

export const header = z.boolean().optional().describe('whether the first line names the columns')

export const quoted = z
  .boolean()
  .optional()
  .describe('whether cells may stand in quotation marks, as pandas and WIT write them')

/** Of lists of pairs: whether captions of one picture join. */
export const join = z
  .enum(['adjacent', 'no'])
  .optional()
  .describe(
    'adjacent (the default): rows next to each other with one address, file or `columns.id` are one picture with several captions; no: each is a picture of its own',
  )

export const baseUrl = optionalText(
  'an address from which relative addresses and file names are fetched; a folder is what `images` is',
)

export const outside = z
  .boolean()
  .optional()
  .describe(
    'whether files that the data name may lie anywhere; else those outside of the folders named here are rejected',
  )

export const exhaustive = z
  .boolean()
  .optional()
  .describe(
    'whether a picture has a box for everything that a category names, so that one without a box is absent',
  )

/**
 * Says that keys are not known, with the list of those that are.
 *
 * @param what has those, such as "the format tsv has"
 */
export function keyRefusal(what: string, known: readonly string[]) {
  return (unknown: readonly string[]) => unknownKeys(unknown, known, what)
}

/** A strict object whose unknown keys are told of as `keyRefusal` does. */
export function strictKeys<Shape extends z.ZodRawShape>(
  shape: Shape,
  refusal: ReturnType<typeof keyRefusal>,
) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? refusal(issue.keys as string[]) : undefined),
  })
}

/** An object of columns, which lists its own where another is named. */
export const columnObject = <Shape extends z.ZodRawShape>(shape: Shape) =>
  strictKeys(shape, keyRefusal('there are', Object.keys(shape)))

const pairColumn = {
  url: column.optional().describe('the column of addresses or file names of pictures'),
  caption: column.optional().describe('the column of captions'),
  id: column
    .optional()
    .describe("the picture's own id, kept as `id` in `meta`; rows with one id are one picture"),
  license: column.optional().describe('the column of licences'),
  meta: z.array(column).optional().describe("columns to keep in the picture's `meta`"),
}

/** Whether rows next to each other of one picture are joined: rows with regions say themselves what they are of. */
export const joinsPairs = ({
  join,
  columns,
}: {
  readonly join?: 'adjacent' | 'no' | undefined
  readonly columns?: { readonly regions?: string | undefined } | undefined
}): boolean => join !== 'no' && columns?.regions === undefined

/** The columns of a list of url and caption. */
export const pairColumns = columnObject(pairColumn)
  .optional()
  .describe('names of the columns, or their numbers from 0')

/** Where the pictures of a list of pairs are, and which of its rows are of one. */
export const pairPictures = { join, images: imageFolder, base_url: baseUrl, outside }

/** The columns of rows that may hold their pictures and their regions. */
export const pictureColumns = columnObject({
  ...pairColumn,
  image: optionalText('the column or field that holds pictures'),
  regions: optionalText('the column or field of regions, as groundmill export writes them'),
})
  .optional()
  .describe('names of the columns or fields, or their numbers from 0')

const promptConfig = z.strictObject({
  max_tokens: count.default(254).describe('most tokens of a prompt; more names than fit make more prompts'),
  negatives: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('names of absent categories in a prompt at most; GLIP draws up to 85, training draws its own'),
  seed: z
    .number()
    .int()
    .default(2112)
    .describe('seed of what is drawn: the order of names, and which absent ones'),
})

export type PromptConfig = z.infer<typeof promptConfig>

const defaultPrompt: PromptConfig = promptConfig.parse({})
const defaultScore = 0.5

/** How category names become captions. */
export const prompt = promptConfig
  .default(defaultPrompt)
  .describe('how category names become captions: prompts of names')

export const minScore = z
  .number()
  .min(0)
  .max(1)
  .default(defaultScore)
  .describe('weakest score of boxes in the source that a model found; GLIP trained on those above 0.5')

const placeOfPart = z.number().min(0).max(1)

const part = z
  .strictObject({
    from: placeOfPart.default(0).describe('share from which pictures are taken'),
    to: placeOfPart.default(1).describe('share up to which pictures are taken'),
  })
  .refine(
    ({ from, to }) => from < to,
    '`from` must be less than `to`: { to: 0.8 } and { from: 0.8 } are four fifths and the rest',
  )
  .optional()
  .describe(
    'pictures to take, as shares by a hash of their names: { to: 0.8 } to learn from and { from: 0.8 } to hold out; all where not given',
  )

/** What every ingest stage may say, whatever its format. */
export const stageKeys = {
  card: optionalText('a dataset card that gives what is not given here'),
  license: optionalText('licence of pictures whose source gives none'),
  shard_size: count
    .max(10_000)
    .default(1000)
    .describe('pairs of the source in a shard; the key of a picture has four digits for its place'),
  limit: count.optional().describe('pairs of the source to take, from its start; all where not given'),
  part,
  fetch: fetchConfig.default(fetchConfig.parse({})).describe('how pictures are fetched'),
  image: imageConfig
    .default(imageConfig.parse({}))
    .describe('which pictures are taken, and what is stored of them'),
  min_success_rate: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('share of the pairs so far whose picture came in, under which a run is told of it or ended'),
  low_success: z
    .enum(['warn', 'stop'])
    .default('warn')
    .describe('what a run does that falls under min_success_rate'),
  max_transient_rate: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('share of the pairs that fail for reasons that may pass, over which a run stops; 1 for never'),
}

/** Keys of some formats that only a stage gives: a card says where a source is and how it is read. */
export const keysOfStagesOnly: readonly string[] = [
  ...Object.keys(stageKeys),
  'base_url',
  'outside',
  'prompt',
  'min_score',
]

/** The schema of a stage with a format: the format's own keys, and those of every stage. */
export function sourceSchema<Name extends string, Keys extends z.ZodRawShape>(name: Name, keys: Keys) {
  const refusal = keyRefusal(`the format ${name} has`, [...Object.keys(keys), ...Object.keys(stageKeys)])
  const always = {
    format: z.literal(name),
    // Shards know their configuration by a hash, in which these two have always been, whatever the format.
    min_score: z
      .custom<number>((value) => value === defaultScore, refusal(['min_score']))
      .meta({ hidden: true })
      .default(defaultScore),
    prompt: z
      .custom<PromptConfig>((value) => isDeepStrictEqual(value, defaultPrompt), refusal(['prompt']))
      .meta({ hidden: true })
      .default(defaultPrompt),
  }
  return strictKeys({ ...always, ...keys, ...stageKeys }, refusal)
}
