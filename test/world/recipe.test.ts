import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { UserError } from '../../src/base/user-error.js'
import { parseRecipe, pluralOf, type Recipe, readRecipe } from '../../src/world/recipe.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { toyRecipe } from './toy-recipe.js'

let recipe: Recipe
beforeAll(async () => {
  recipe = await toyRecipe()
})

test('the shipped recipe has two dozen known and a dozen novel concepts', () => {
  expect(recipe.concepts.known.length).toBeGreaterThanOrEqual(24)
  expect(recipe.concepts.novel.length).toBeGreaterThanOrEqual(12)
  expect(recipe.concepts.novel.map(pluralOf)).toEqual(expect.arrayContaining(['butterflies', 'owls']))
  expect(recipe.concepts.known.map(pluralOf)).toEqual(expect.arrayContaining(['buses', 'fish', 'keys']))
})

test('plurals', () => {
  const of = (name: string, plural?: string) => pluralOf({ name, icon: 'mdiPaw', plural })
  expect(['cherry', 'donkey', 'wrench', 'fire truck', 'box', 'bush'].map((name) => of(name))).toEqual([
    'cherries',
    'donkeys',
    'wrenches',
    'fire trucks',
    'boxes',
    'bushes',
  ])
  expect(of('snowman', 'snowmen')).toBe('snowmen')
})

describe('a message names the file, the key and what is wrong', () => {
  const cases: [string, (value: Recipe) => unknown, RegExp][] = [
    ['unknown key', (value) => ({ ...value, colors: {} }), /^r\.yaml: the recipe: .*"colors"/],
    ['missing key', ({ seed: _, ...value }) => value, /^r\.yaml: seed: /],
    ['wrong type', (value) => ({ ...value, splits: { ...value.splits, gold: 'many' } }), /splits\.gold: /],
    [
      'backward range',
      (value) => ({ ...value, scene: { ...value.scene, objects: [3, 2] } }),
      /scene\.objects/,
    ],
    [
      'objects too large for the scene',
      (value) => ({ ...value, scene: { ...value.scene, object_size: [24, 100] } }),
      /object_size: at most half the scene \(64 pixels\)/,
    ],
    [
      'backward range of gold',
      gold({ objects: [4, 3] }),
      /^r\.yaml: gold\.objects: the first number must not be over the second/,
    ],
    [
      'more twins than there can be',
      gold({ objects: [1, 2], twin_share: 0.6 }),
      /gold\.twin_share: at most 1 of 2 objects/,
    ],
    [
      'more phrases without a noun than with an attribute',
      gold({ attribute_share: 0.2, pronoun_share: 0.3, place_share: 0 }),
      /gold\.pronoun_share: must not be over gold\.attribute_share/,
    ],
    [
      'more attributes and places than phrases',
      gold({ attribute_share: 0.9, place_share: 0.2 }),
      /gold\.place_share: over 1 together with gold\.attribute_share/,
    ],
    ['a share over one', gold({ twin_share: 1.5 }), /gold\.twin_share: /],
    [
      'one object where a noun is never to be enough',
      gold({ objects: [1, 1], twin_share: 0 }),
      /splits\.attributes: its scenes have two objects at least; raise gold\.objects/,
    ],
    [
      'fewer colours than telling objects',
      (value) => {
        const { red, blue } = value.colours
        return { ...value, colours: { red, blue } }
      },
      /web\.telling_share: up to 4 objects a scene need as many colours/,
    ],
    [
      'an unknown scramble',
      (value) => ({ ...value, web: { ...value.web, scramble: 'nouns' } }),
      /web\.scramble: .*attributes/,
    ],
    [
      'a concept that could be anything',
      known({ name: 'shape', icon: 'mdiShape' }),
      /"shape": gold\.pronoun_share has phrases such as "the red shape" for anything/,
    ],
    ['no such icon', known({ name: 'zebra', icon: 'mdiZebra' }), /"zebra": @mdi\/js has no icon "mdiZebra"/],
    ['name twice', known({ name: 'cat', icon: 'mdiPaw' }), /"cat": named twice/],
    ['icon twice', known({ name: 'kitten', icon: 'mdiCat' }), /"kitten": "mdiCat" is another concept's icon/],
    ['a colour', known({ name: 'orange', icon: 'mdiFruitCitrus' }), /"orange": also the name of a colour/],
    ['a novel word in gold', known({ name: 'star light', icon: 'mdiPaw' }), /"star": .* "star"/],
    ['capitals', known({ name: 'Paw', icon: 'mdiPaw' }), /concepts\.known\.\d+\.name: .*lower case/],
  ]
  test.each(cases)('%s', (_, change, message) => {
    const broken = change(structuredClone(recipe))
    expect(() => parseRecipe(broken, 'r.yaml')).toThrow(UserError)
    expect(() => parseRecipe(broken, 'r.yaml')).toThrow(message)
  })

  test('missing file, malformed YAML', async () => {
    const folder = await temporaryFolder()
    await expect(readRecipe(join(folder, 'none.yaml'))).rejects.toThrow(/none\.yaml: cannot read/)
    await writeFile(join(folder, 'bad.yaml'), 'a: [1, 2')
    await expect(readRecipe(join(folder, 'bad.yaml'))).rejects.toThrow(/bad\.yaml: not YAML/)
    await expect(readRecipe(join(folder, 'bad.yaml'))).rejects.toThrow(UserError)
  })

  test('what is read is what the file says', async () => {
    const text = await readFile(new URL('../../datasets/toy.yaml', import.meta.url), 'utf8')
    expect(recipe).toEqual(parse(text))
  })
})

test('a recipe without the newer keys is read as it was', () => {
  const { gold: _, ...old } = structuredClone(recipe)
  const { attributes: __, ...splits } = old.splits
  const { telling_share: ___, scramble: ____, ...web } = old.web
  const read = parseRecipe({ ...old, splits, web }, 'old.yaml')
  expect(read.gold).toEqual({ attribute_share: 0.65, pronoun_share: 0, place_share: 0 })
  expect(read.splits).toEqual({ ...splits, attributes: 0 })
  expect(read.web).toEqual({ ...web, scramble: 'none' })
})

function gold(change: Partial<Recipe['gold']>) {
  return (value: Recipe): Recipe => ({ ...value, gold: { ...value.gold, ...change } })
}

function known(concept: { name: string; icon: string }) {
  return (value: Recipe): Recipe => ({
    ...value,
    concepts: { ...value.concepts, known: [...value.concepts.known, concept] },
  })
}
