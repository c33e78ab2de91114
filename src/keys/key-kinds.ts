import type { z } from 'zod'
import { nameList } from '../base/name-list.js'
import { didYouMean } from '../base/nearest-name.js'
import { UserError } from '../base/user-error.js'
import { cardSchema } from '../ingest/config.js'
import { fetchConfig } from '../ingest/fetch/fetch-config.js'
import { imageConfig } from '../ingest/image/image-config.js'
import { promoteRule } from '../pipeline/promotion/promote-config.js'
import { kinds } from '../pipeline/stages/kinds.js'
import { pipelineSchema, roundsSchema } from '../pipeline/stages/pipeline-config.js'
import { recipeSchema } from '../world/recipe.js'
import { chooserOf, type KeySchema, keySchema, mapSchema } from './key-schema.js'

/** Something that has keys: a file, a kind of stage, or a part of one. */
export interface KeyKind {
  /** `teach`; of a variant with what it is one of: `ingest.tsv`, `filter.score`. */
  readonly name: string
  /** What it is for. */
  readonly meaning: string
  /** Keys that are those of another kind are a reference to it: `#/$defs/ingest.fetch`. */
  readonly schema: KeySchema
}

/** What has keys, the parts after what they are parts of. */
const named: readonly (readonly [name: string, schema: z.ZodType])[] = [
  ['pipeline', pipelineSchema],
  ['rounds', roundsSchema],
  ...kinds.map(({ name, schema }) => [name, name === 'promote' ? promoteRule : schema] as const),
  ['ingest.fetch', fetchConfig],
  ['ingest.image', imageConfig],
  ['card', cardSchema],
  ['world', recipeSchema],
]

/** Every kind, and behind those that have variants these. */
export function keyKinds(): KeyKind[] {
  const all = named.map(([name, schema]) => ({ name, schema: keySchema(schema) }))
  // The largest parts alone: of small ones the keys are told where they stand.
  const shared = new Map(all.map(({ name, schema }) => [contentOf(schema), name]))
  const refer = (node: KeySchema): KeySchema => {
    const name = shared.get(contentOf(node))
    if (name === undefined) return mapSchema(node, refer)
    const { description, default: value } = node
    return {
      ...(description && { description }),
      ...(value !== undefined && { default: value }),
      $ref: `#/$defs/${name}`,
    }
  }
  return all.flatMap(({ name, schema }) => {
    const own = mapSchema(schema, refer)
    return [{ name, meaning: own.description ?? '', schema: own }, ...variantsOf(name, own)]
  })
}

/** What two schemas share that are the same but for what is said of them where they stand. */
const contentOf = ({ description: _, default: __, ...content }: KeySchema) => JSON.stringify(content)

/** The variants of a kind that is a union, or has a list whose items are one. */
function variantsOf(kind: string, schema: KeySchema): KeyKind[] {
  const list = Object.values(schema.properties ?? {}).find(({ items }) => items?.oneOf)
  const variants = schema.oneOf ?? list?.items?.oneOf ?? []
  const chooser = chooserOf(variants)
  return variants.flatMap((variant) => {
    const name = chooser === undefined ? undefined : variant.properties?.[chooser]?.const
    // The variants of a pipeline's stages are kinds themselves.
    if (typeof name !== 'string' || kind === 'pipeline') return []
    return [{ name: `${kind}.${name}`, meaning: variant.description ?? '', schema: variant }]
  })
}

/** What a name is a reference to. */
export const referred = ({ $ref }: KeySchema): string | undefined => $ref?.replace('#/$defs/', '')

/** What was asked for: a kind, or a key with the kinds that have it. */
export type Asked =
  | { readonly kind: KeyKind }
  | {
      readonly key: string
      readonly kinds: readonly { readonly kind: KeyKind; readonly schema: KeySchema }[]
    }

/**
 * Finds a kind by its name (`teach`, `ingest tsv`, `filter.score`), a key of one (`teach.floor`), or a key wherever it
 * is (`floor`).
 *
 * @throws UserError that names what is nearest
 */
export function findKeys(words: readonly string[], all: readonly KeyKind[]): Asked {
  const path = words.join('.').split('.').filter(Boolean)
  const name = path.join('.')
  const known = all.find((kind) => kind.name === name)
  if (known) return { kind: known }
  for (let length = path.length - 1; length > 0; length--) {
    const kind = all.find((one) => one.name === path.slice(0, length).join('.'))
    const schema = kind && keyAt(kind.schema, path.slice(length), all)
    if (kind && schema) return { key: path.slice(length).join('.'), kinds: [{ kind, schema }] }
  }
  const having = all.flatMap((kind) => {
    const schema = keyAt(kind.schema, path, [])
    return schema ? [{ kind, schema }] : []
  })
  if (having.length > 0) return { key: name, kinds: having }
  const names = new Set(all.flatMap((kind) => [kind.name, ...Object.keys(kind.schema.properties ?? {})]))
  const meant = didYouMean(name, names)
  const kinds = nameList(all.map((kind) => kind.name).filter((one) => !one.includes('.')))
  throw new UserError(`There is no key and no kind of stage "${name}".${meant || ` There are: ${kinds}.`}`)
}

/** The schema of a key within others. */
function keyAt(schema: KeySchema, path: readonly string[], all: readonly KeyKind[]): KeySchema | undefined {
  const [first, ...rest] = path
  if (first === undefined) return schema
  const target = all.find(({ name }) => name === referred(schema))?.schema ?? schema.items ?? schema
  const inner = Object.hasOwn(target.properties ?? {}, first) ? target.properties?.[first] : undefined
  return inner && keyAt(inner, rest, all)
}
