import { z } from 'zod'
import { hashJson } from '../base/hash.js'
import { notAmong } from '../base/schema-words.js'
import {
  baseUrl,
  keyRefusal,
  keysOfStagesOnly,
  minScore,
  pictureColumns,
  prompt,
  stageKeys,
  strictKeys,
} from './read/source-keys.js'
import { sources } from './sources.js'

type Schemas<Formats> = {
  [Index in keyof Formats]: Formats[Index] extends { readonly schema: infer Schema } ? Schema : never
}

const schemas = sources.map(({ schema }) => schema) as unknown as Schemas<typeof sources>

/** A stage whose card says the format: which of its keys the format has is checked when the card is read. */
const withoutFormat = z.strictObject({
  ...(Object.assign({}, ...schemas.map(({ shape }) => shape)) as object),
  format: z.undefined().optional().describe('of the source; a card may give it'),
  columns: pictureColumns,
  base_url: baseUrl,
  min_score: minScore,
  prompt,
  ...stageKeys,
})

const names = sources.map(({ name }) => name)
/** A format that is not known is told of with those that are. */
const error = (issue: { readonly code?: string; readonly input?: unknown }) =>
  issue.code === 'invalid_union'
    ? notAmong((issue.input as { readonly format?: unknown } | null)?.format, names)
    : undefined

/** An ingest stage: the keys of its format, or of any where its card says the format. */
export const ingestConfig = z.discriminatedUnion('format', [withoutFormat, ...schemas], { error })

export type IngestConfig = z.infer<typeof ingestConfig>

/** The configuration of a source, its card filled in. */
export type SourceConfig = z.infer<Schemas<typeof sources>[number]>

/** Keys that change how fast or from where, never what comes out. */
const neverHashed = ['base_url', 'fetch', 'min_success_rate', 'low_success', 'max_transient_rate'] as const

/** Those, and what says which rows are in a shard: a shard is known by its rows themselves. */
export const ingestNotHashed = [...neverHashed, 'limit', 'shard_size', 'join'] as const

/** The hash of a configuration by which older versions knew their shards. */
export function olderConfigHash(config: IngestConfig): string {
  const isHashed = ([key]: [string, unknown]) =>
    key !== 'join' && !(neverHashed as readonly string[]).includes(key)
  return hashJson(Object.fromEntries(Object.entries(config).filter(isHashed)))
}

/** Keys that a card of any format has. */
const cardKeys = {
  name: z.string(),
  title: z.string(),
  homepage: z.string().optional(),
  paper: z.string().optional(),
  license: z.string(),
  rows: z.number().int().positive().optional().describe('rows of the list as it was published'),
  expected: z.record(z.string(), z.number()).optional().describe('other published counts'),
  unchecked: z.array(z.string()).optional().describe('what of this card nobody has held against the data'),
  quirks: z.array(z.string()).optional(),
}

/** Keys of a format that say where its source is and how it is read: a card may give them. */
export const sourceKeysOf = ({ shape }: z.ZodObject): string[] =>
  Object.keys(shape).filter((key) => !keysOfStagesOnly.includes(key))

const cardSchemas = sources.map(({ name, schema }) => {
  const formatKeys = sourceKeysOf(schema).map((key) => [key, schema.shape[key as keyof typeof schema.shape]])
  const shape = { ...(Object.fromEntries(formatKeys) as object), format: z.literal(name), ...cardKeys }
  return strictKeys(
    shape,
    keyRefusal(
      `the format ${name} has`,
      Object.keys(shape).filter((key) => key !== 'format'),
    ),
  )
})

/** A dataset card: `datasets/*.yaml`. Its own keys, and those of its format. */
export const cardSchema = z.discriminatedUnion('format', cardSchemas as [(typeof cardSchemas)[number]], {
  error,
})

export type Card = z.infer<typeof cardSchema> & { readonly columns?: z.infer<typeof pictureColumns> }
