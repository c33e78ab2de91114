import * as icons from '@mdi/js'
import { z } from 'zod'
import { UserError } from '../user-error.js'

const pixel = z.number().int().min(0).max(255)
const share = z.number().min(0).max(1)
const concepts = z.record(z.string().regex(/^[a-z]+$/), z.string())

/** What a world is made by; see `datasets/toy.yaml` for each key's meaning. */
const recipeSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  license: z.string(),
  seed: z.number().int(),
  scene: z.strictObject({
    size: z.number().int().min(32),
    objects: z.tuple([z.number().int().min(1), z.number().int().min(1)]),
    object_size: z.tuple([z.number().positive(), z.number().positive()]),
    small_below: z.number().positive(),
    big_above: z.number().positive(),
    jpeg_quality: z.number().int().min(1).max(100),
  }),
  splits: z.strictObject({
    gold: z.number().int().min(0),
    web: z.number().int().min(0),
    known: z.number().int().min(0),
    novel: z.number().int().min(0),
  }),
  web: z.strictObject({ novel_share: share, bare_share: share, broken_share: share }),
  colours: z.record(z.string(), z.tuple([pixel, pixel, pixel])),
  plurals: z.record(z.string(), z.string()),
  known: concepts,
  novel: concepts,
})

export type Recipe = z.infer<typeof recipeSchema>
export type Split = keyof Recipe['splits']
export type Rgb = readonly [number, number, number]

/** Checks a recipe read from YAML; `where` names it in messages. */
export function parseRecipe(value: unknown, where: string): Recipe {
  const parsed = recipeSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new UserError(`${where}: ${issue.path.join('.') || 'the recipe'}: ${issue.message}`)
  }
  const recipe = parsed.data
  for (const [concept, icon] of Object.entries({ ...recipe.known, ...recipe.novel })) {
    if (!iconPath(icon)) {
      throw new UserError(`${where}: concept "${concept}": @mdi/js has no icon "mdi${icon}"`)
    }
  }
  for (const concept of Object.keys(recipe.novel)) {
    if (concept in recipe.known) throw new UserError(`${where}: "${concept}" is both known and novel`)
  }
  return recipe
}

/** SVG path of a Material Design icon on its 24 x 24 grid. */
export function iconPath(icon: string): string | undefined {
  return (icons as unknown as Readonly<Record<string, string>>)[`mdi${icon}`]
}

/** "two cats", "two buses", "two cherries", "two sheep". */
export function pluralOf(concept: string, { plurals }: Recipe): string {
  if (plurals[concept]) return plurals[concept]
  if (/(s|x|ch|sh)$/.test(concept)) return `${concept}es`
  if (/[^aeiou]y$/.test(concept)) return `${concept.slice(0, -1)}ies`
  return `${concept}s`
}
