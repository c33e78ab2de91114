import { z } from 'zod'
import { parseYaml } from '../base/files/parse-yaml.js'
import { readListText } from '../base/files/read-file.js'
import { shownValue } from '../base/name-list.js'
import { firstIssue, inWords } from '../base/schema-words.js'
import { UserError } from '../base/user-error.js'
import { iconPath } from './icon-path.js'

const pixel = z.number().int().min(0).max(255)
const share = z.number().min(0).max(1)
const scenes = z.number().int().min(0).max(999_999)
const counts = z.tuple([z.number().int().min(1), z.number().int().max(6)])
const noun = z.string().regex(/^[a-z]+( [a-z]+)?$/, 'must be one or two words in lower case')
const concepts = z.array(
  z.strictObject({
    name: noun.describe('singular noun'),
    icon: z.string().describe('export of @mdi/js, such as mdiCat'),
    plural: noun.optional().describe('where it is not regular'),
  }),
)

/** What a world is made by, as `datasets/toy.yaml` writes it. */
export const recipeSchema = z
  .strictObject({
    name: z.string().describe('what the world is called'),
    title: z.string().describe('what it is, in a line'),
    license: z.string().describe('licence of its pictures'),
    seed: z.number().int().describe('seed of all that is drawn'),
    scene: z
      .strictObject({
        size: z.number().int().min(32).max(4096).describe('side of a scene in pixels'),
        objects: counts.describe('fewest and most objects of a scene'),
        object_size: z
          .tuple([z.number().min(8), z.number().positive()])
          .describe('least and greatest longer side of a pictogram in pixels'),
        small_below: z.number().positive().describe('an object under so many pixels is called small'),
        big_above: z.number().positive().describe('an object over so many pixels is called big'),
        jpeg_quality: z.number().int().min(1).max(100).describe('quality of the pictures as JPEG, 1 to 100'),
      })
      .describe('what a scene is like'),
    splits: z
      .strictObject({
        gold: scenes.describe('scenes with boxes, to train a teacher on'),
        web: scenes.describe('scenes that lie on a web server with their captions'),
        known: scenes.describe('held-out scenes of what gold names'),
        novel: scenes.describe('held-out scenes of what gold never names'),
        attributes: scenes.default(0).describe('held-out scenes where a noun alone is never enough'),
      })
      .describe('how many scenes each split has'),
    gold: z
      .strictObject({
        objects: counts.optional().describe('in place of scene.objects; for known and attributes too'),
        twin_share: share
          .optional()
          .describe('share of objects whose kind is there already, in another colour or size. For known too'),
        attribute_share: share
          .default(0.65)
          .describe('share of phrases with a colour or a size. For known too'),
        pronoun_share: share
          .default(0)
          .describe('share of phrases such as "the red one", part of attribute_share. For known too'),
        place_share: share
          .default(0)
          .describe('share of phrases that say where, such as "the cat on the left". For known too'),
      })
      .prefault({})
      .describe('what the phrases of gold are like'),
    web: z
      .strictObject({
        novel_share: share.describe('share of novel objects; a web scene has at least one'),
        bare_share: share.describe('share of phrases without anything that tells the object apart'),
        telling_share: share
          .optional()
          .describe('share of scenes where nothing of another kind has the colour of a novel object'),
        scramble: z
          .enum(['none', 'attributes'])
          .default('none')
          .describe('with attributes, every colour, size and place of a caption is a wrong one'),
        broken_share: share.describe('share of addresses that are gone, answer HTML or are cut short'),
      })
      .describe('what the scenes on the web are like'),
    colours: z
      .record(z.string().regex(/^[a-z]+$/), z.tuple([pixel, pixel, pixel]))
      .describe('red, green and blue of each colour by its name, 0 to 255'),
    concepts: z
      .strictObject({
        known: concepts.describe('things that gold names'),
        novel: concepts.describe('things that the web alone has'),
      })
      .describe('what is drawn'),
  })
  .describe('the recipe of a toy world (datasets/toy.yaml), which `groundmill world make` draws')

export type Recipe = z.infer<typeof recipeSchema>
export type Concept = Recipe['concepts']['known'][number]
export type Split = keyof Recipe['splits']
export type Rgb = readonly [number, number, number]

/** Reads and checks a recipe file. */
export async function readRecipe(path: string): Promise<Recipe> {
  const text = await readListText(path).catch((error: unknown) => {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UserError(`${path}: cannot read the recipe; name a YAML file such as datasets/toy.yaml`)
  })
  return parseRecipe(parseYaml(text, path), path)
}

/** Checks a recipe read from YAML; `where` names it in messages. Throws a UserError that names the key. */
export function parseRecipe(value: unknown, where: string): Recipe {
  const parsed = recipeSchema.safeParse(value, inWords)
  if (!parsed.success) {
    throw new UserError(`${where}: ${firstIssue(parsed.error, 'the recipe')}`)
  }
  const recipe = parsed.data
  const problem = checkScene(recipe) ?? checkGold(recipe) ?? checkConcepts(recipe)
  if (problem) throw new UserError(`${where}: ${problem}`)
  return recipe
}

function checkScene({ scene, colours, web }: Recipe): string | undefined {
  const { size, objects, object_size: sides, small_below: small, big_above: big } = scene
  if (objects[0] > objects[1]) return 'scene.objects: the first number must not be over the second'
  if (sides[0] > sides[1]) return 'scene.object_size: the first number must not be over the second'
  if (sides[1] > size / 2) return `scene.object_size: at most half the scene (${size / 2} pixels)`
  if (small > big) return 'scene.small_below: must not be over scene.big_above'
  if (Object.keys(colours).length < 2) return 'colours: name at least two'
  if (web.telling_share && Object.keys(colours).length < objects[1]) {
    return `web.telling_share: up to ${objects[1]} objects a scene need as many colours`
  }
  return undefined
}

/** Nouns for whatever is there: only what stands before them tells. */
export const pronouns = ['one', 'thing', 'object', 'shape'] as const

function checkGold({ scene, gold, splits, concepts }: Recipe): string | undefined {
  const [least, most] = gold.objects ?? scene.objects
  if (least > most) return 'gold.objects: the first number must not be over the second'
  if (gold.twin_share !== undefined && gold.twin_share > (most - 1) / most) {
    return `gold.twin_share: at most ${most - 1} of ${most} objects of a scene can be of a kind that is there`
  }
  if (gold.pronoun_share > gold.attribute_share) {
    return 'gold.pronoun_share: must not be over gold.attribute_share, of which it is a part'
  }
  if (gold.attribute_share + gold.place_share > 1) {
    return 'gold.place_share: over 1 together with gold.attribute_share; a phrase has an attribute or a place'
  }
  if (splits.attributes > 0 && most < 2) {
    return 'splits.attributes: its scenes have two objects at least; raise gold.objects'
  }
  const taken = [...concepts.known, ...concepts.novel].find(({ name }) =>
    name.split(' ').some((word) => pronouns.some((pronoun) => pronoun === word)),
  )
  if (gold.pronoun_share > 0 && taken) {
    return `concept "${taken.name}": gold.pronoun_share has phrases such as "the red ${taken.name}" for anything`
  }
  return undefined
}

function checkConcepts({ concepts: { known, novel }, colours, splits }: Recipe): string | undefined {
  if (known.length === 0) return 'concepts.known: name at least one'
  if (novel.length === 0 && splits.web + splits.novel > 0) return 'concepts.novel: name at least one'
  const names = new Set<string>()
  const pictures = new Set<string>()
  for (const { name, icon } of [...known, ...novel]) {
    if (!iconPath(icon)) return `concept ${shownValue(name)}: @mdi/js has no icon ${shownValue(icon)}`
    if (names.has(name)) return `concept "${name}": named twice`
    if (pictures.has(icon)) return `concept "${name}": "${icon}" is another concept's icon already`
    if (name in colours) return `concept "${name}": also the name of a colour`
    names.add(name)
    pictures.add(icon)
  }
  // A word shared with gold would name a part of what gold must not name.
  const words = new Set(known.flatMap(({ name }) => name.split(' ')))
  for (const { name } of novel) {
    const shared = name.split(' ').find((word) => words.has(word))
    if (shared) return `novel concept "${name}": known concepts have the word "${shared}" too`
  }
  return undefined
}

/** "cats", "buses", "cherries", "sheep". */
export function pluralOf({ name, plural }: Concept): string {
  if (plural) return plural
  if (/(s|x|ch|sh)$/.test(name)) return `${name}es`
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`
  return `${name}s`
}
