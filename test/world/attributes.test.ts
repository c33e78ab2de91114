import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { absentPhrases } from '../../src/world/absent-phrases.js'
import { type Description, describeScene } from '../../src/world/describe-scene.js'
import { layoutScene, type Scene } from '../../src/world/layout-scene.js'
import { type InkMap, measureInk } from '../../src/world/measure-ink.js'
import { parseRecipe, pluralOf, type Recipe, type Split } from '../../src/world/recipe.js'
import { expectGrammatical, expectTrue, isTrueOf, readPhrase, sideOf, slice } from './read-phrase.js'
import { toyRecipe } from './toy-recipe.js'

let toy: Recipe
let ink: InkMap
beforeAll(async () => {
  toy = await toyRecipe()
  ink = await measureInk(toy)
})

const splits: readonly Split[] = ['gold', 'web', 'known', 'novel', 'attributes']

interface Sample {
  readonly scene: Scene
  readonly words: Description
}

const make = (recipe: Recipe, split: Split, index: number): Sample => {
  const scene = layoutScene(recipe, ink, split, index)
  return { scene, words: describeScene(recipe, scene) }
}

const samples = (recipe: Recipe, split: Split, count: number): Sample[] =>
  Array.from({ length: count }, (_, index) => make(recipe, split, index))

const textsOf = ({ words }: Sample) =>
  words.mentions.map((mention) => ({
    ...mention,
    text: slice(words.caption, mention.start, mention.end),
  }))

const share = <T>(items: readonly T[], holds: (item: T) => unknown) =>
  items.filter(holds).length / items.length

/** Recipes that differ from the shipped one in all that decides about attributes. */
const anyRecipe = fc
  .record({
    objects: fc.constantFrom<[number, number] | undefined>(undefined, [1, 2], [2, 2], [3, 4], [5, 6]),
    twin_share: fc.constantFrom(undefined, 0, 0.2, 0.5),
    attribute_share: fc.constantFrom(0.4, 0.7, 0.9),
    pronoun_share: fc.constantFrom(0, 0.2, 0.4),
    place_share: fc.constantFrom(0, 0.1),
    telling_share: fc.constantFrom(undefined, 0, 0.5, 1),
    kinds: fc.constantFrom(1, 2, 70),
    seed: fc.nat(1000),
  })
  .map(({ seed, telling_share, kinds, ...gold }): Recipe => {
    const { known, novel } = toy.concepts
    return {
      ...toy,
      seed,
      gold,
      web: { ...toy.web, telling_share },
      concepts: { known: known.slice(0, kinds), novel: novel.slice(0, kinds) },
    }
  })
const anySplit = fc.constantFrom(...splits)
const anyIndex = fc.nat(999_999)

describe('whatever the recipe says', () => {
  const hold = (check: (recipe: Recipe, sample: Sample) => void, split = anySplit) =>
    fc.assert(
      fc.property(anyRecipe, split, anyIndex, (recipe, of, index) => check(recipe, make(recipe, of, index))),
      { numRuns: 400 },
    )

  test('a phrase names all and only what it is true of', () => {
    hold((recipe, { scene, words }) => expectTrue(recipe, scene, words))
  })

  test('phrases of the attributes split leave out another of the kind that looks other', () => {
    hold((_, { scene, words }) => {
      for (const { objects } of words.mentions) {
        const [first] = objects.map((at) => scene.objects[at])
        const kind = scene.objects.filter(({ concept }) => concept.name === first.concept.name)
        expect(kind.length).toBeGreaterThan(objects.length)
        const others = kind.filter((object) => object.colour !== first.colour || object.size !== first.size)
        expect(others.length, words.caption).toBeGreaterThan(0)
      }
    }, fc.constant('attributes'))
  })

  test('phrases without a noun of their own are in gold and known alone, and never of everything', () => {
    hold((_, { scene, words }) => {
      for (const { phrase, objects } of words.mentions) {
        if (!phrase.isPronoun) continue
        expect(['gold', 'known']).toContain(scene.split)
        expect(phrase.colour ?? phrase.size).toBeDefined()
        expect(objects.length).toBeLessThan(scene.objects.length)
        if (!/^ones?$/.test(phrase.noun)) continue
        const kinds = new Set(objects.map((at) => scene.objects[at].concept.name))
        expect(kinds.size).toBe(1)
        const others = scene.objects.filter(
          ({ concept }, at) => !objects.includes(at) && kinds.has(concept.name),
        )
        expect(others.length).toBeGreaterThan(0)
      }
    })
  })

  test('what a picture is said not to have is not there', () => {
    hold((recipe, { scene, words }) => {
      const absent = absentPhrases(recipe, scene, words)
      expect(new Set(absent).size).toBe(absent.length)
      // Of one concept with six colours in the picture five swaps are left, and no name.
      expect(absent.length).toBeGreaterThan(0)
      expect(absent.length).toBeLessThanOrEqual(6)
      for (const text of absent) {
        const phrase = readPhrase(recipe, text)
        expect(phrase.determiner).toBe('')
        expect(phrase.noun).toBe(phrase.singular)
        const found = scene.objects.filter((object) => isTrueOf(recipe, phrase, object))
        expect(found, `${text} | ${words.caption}`).toEqual([])
        // Neither small nor big might pass for either.
        const alike = scene.objects.filter((object) =>
          isTrueOf(recipe, { ...phrase, size: undefined }, object),
        )
        for (const object of phrase.size ? alike : []) expect(object.size).not.toBe(null)
        const isNovel = recipe.concepts.novel.some(({ name }) => name === phrase.noun)
        if (isNovel) expect(['novel', 'web']).toContain(scene.split)
      }
    })
  })

  test('half of it are names, and always the same ones', () => {
    const all = samples(toy, 'known', 200).map(({ scene, words }) => absentPhrases(toy, scene, words))
    for (const absent of all) {
      const names = absent.filter((text) => toy.concepts.known.some(({ name }) => name === text))
      expect(names).toHaveLength(3)
    }
    expect(all).toEqual(
      samples(toy, 'known', 200).map(({ scene, words }) => absentPhrases(toy, scene, words)),
    )
  })
})

describe('a scrambled web', () => {
  let scrambled: Recipe
  beforeAll(() => {
    scrambled = { ...toy, web: { ...toy.web, scramble: 'attributes' } }
  })

  test('has the same pictures, and captions that name the same by attributes that are false of it', () => {
    const placed = /(?:in|at|on) the (?:(?:top|bottom)(?: left| right)?|left|right|middle|center)\b/gi
    let [attributes, places] = [0, 0]
    for (let index = 0; index < 800; index++) {
      const plain = make(toy, 'web', index)
      const wrong = make(scrambled, 'web', index)
      expect(wrong.scene).toEqual(plain.scene)
      expect(wrong.words.mentions.map(({ objects }) => objects)).toEqual(
        plain.words.mentions.map(({ objects }) => objects),
      )
      const told = textsOf(plain)
      textsOf(wrong).forEach(({ text, objects }, at) => {
        const phrase = readPhrase(toy, text)
        const truth = readPhrase(toy, told[at].text)
        expect([phrase.noun, Boolean(phrase.size), Boolean(phrase.colour)]).toEqual([
          truth.noun,
          Boolean(truth.size),
          Boolean(truth.colour),
        ])
        expectGrammatical(text, phrase, objects.length)
        for (const object of objects.map((of) => wrong.scene.objects[of])) {
          if (phrase.colour) expect(object.colour).not.toBe(phrase.colour)
          if (phrase.size === 'big') expect(sideOf(object)).toBeLessThan(toy.scene.small_below)
          if (phrase.size === 'small') expect(sideOf(object)).toBeGreaterThan(toy.scene.big_above)
        }
        attributes += Number(Boolean(phrase.size || phrase.colour))
      })
      const [before, after] = [plain, wrong].map(({ words }) => words.caption.match(placed) ?? [])
      expect(after.length).toBe(before.length)
      after.forEach((place, at) => {
        expect(place.toLowerCase()).not.toBe(before[at].toLowerCase())
      })
      places += after.length
    }
    expect(attributes).toBeGreaterThan(800)
    expect(places).toBeGreaterThan(200)
  })

  test('leaves the other splits as they are', () => {
    for (const split of splits.filter((other) => other !== 'web')) {
      expect(samples(scrambled, split, 50)).toEqual(samples(toy, split, 50))
    }
  })
})

describe('shares come out as the recipe says', () => {
  const withGold = (gold: Partial<Recipe['gold']>): Recipe => ({ ...toy, gold: { ...toy.gold, ...gold } })

  test.each([0.2, 0.4, 0.6])(
    'twins: %f of the objects are of a kind that is there, but look other',
    (twin_share) => {
      const scenes = samples(withGold({ twin_share }), 'gold', 1000).map(({ scene }) => scene.objects)
      const isTwin = scenes.flatMap((objects) =>
        objects.map((object, at) =>
          objects
            .slice(0, at)
            .some(
              ({ concept, colour, size }) =>
                concept === object.concept && (colour !== object.colour || size !== object.size),
            ),
        ),
      )
      expect(Math.abs(share(isTwin, (is) => is) - twin_share)).toBeLessThan(0.03)
    },
  )

  test('attributes, phrases without a noun, places', () => {
    for (const split of ['gold', 'known'] as const) {
      const phrases = samples(toy, split, 1000).flatMap(({ words }) => words.mentions)
      const { attribute_share, pronoun_share, place_share } = toy.gold
      const told = share(phrases, ({ phrase }) => phrase.colour ?? phrase.size)
      // A phrase that names what is named already is left out: those without an attribute are so more often.
      expect(Math.abs(told - attribute_share)).toBeLessThan(0.08)
      expect(Math.abs(share(phrases, ({ phrase }) => phrase.isPronoun) - pronoun_share)).toBeLessThan(0.03)
      expect(Math.abs(share(phrases, ({ phrase }) => phrase.tail) - place_share)).toBeLessThan(0.03)
    }
  })

  test('a scene has as many objects as gold.objects says, of the web as scene.objects says', () => {
    const recipe: Recipe = {
      ...toy,
      scene: { ...toy.scene, objects: [1, 3] },
      gold: { ...toy.gold, objects: [3, 4] },
    }
    const counts = (split: Split) => samples(recipe, split, 200).map(({ scene }) => scene.objects.length)
    for (const split of ['gold', 'known', 'attributes'] as const) {
      expect(new Set(counts(split))).toEqual(new Set([3, 4]))
    }
    expect(new Set(counts('web'))).toEqual(new Set([1, 2, 3]))
    expect(new Set(counts('novel'))).toEqual(new Set([2, 3]))
  })

  test.each([0, 0.5, 1])(
    'telling: the colour alone tells in %f of novel phrases with one',
    (telling_share) => {
      const recipe = { ...toy, web: { ...toy.web, telling_share } }
      const tells = samples(recipe, 'web', 1000).flatMap(({ scene, words }) =>
        words.mentions.flatMap(({ phrase: { colour, size }, objects: [at] }) => {
          const { concept, novel } = scene.objects[at]
          const others = scene.objects.filter((object) => object.concept !== concept)
          if (!novel || others.length === 0 || !(colour ?? size)) return []
          return [others.every((object) => colour !== undefined && object.colour !== colour)]
        }),
      )
      expect(Math.abs(share(tells, (is) => is) - telling_share)).toBeLessThan(0.1)
    },
  )

  test('attributes split: every kind of phrase in a fair share', () => {
    const phrases = samples(toy, 'attributes', 800).flatMap(({ words }) => words.mentions)
    expect(share(phrases, ({ phrase }) => phrase.colour)).toBeGreaterThan(0.45)
    expect(share(phrases, ({ phrase }) => phrase.size)).toBeGreaterThan(0.25)
    expect(share(phrases, ({ phrase }) => phrase.tail)).toBeGreaterThan(0.15)
    expect(share(phrases, ({ objects }) => objects.length > 1)).toBeGreaterThan(0.1)
  })
})

describe('a recipe without the keys of attributes', () => {
  let old: Recipe
  beforeAll(() => {
    const { gold: _, ...rest } = toy
    const { attributes: __, ...oldSplits } = toy.splits
    const { novel_share, bare_share, broken_share } = toy.web
    const web = { novel_share, bare_share, broken_share }
    old = parseRecipe({ ...rest, splits: oldSplits, web }, 'old.yaml')
  })

  test('has no attributes split, no phrases such as "the red one" and no places in spans', () => {
    expect(old.splits.attributes).toBe(0)
    const phrases = samples(old, 'gold', 800).flatMap(({ words }) => words.mentions)
    expect(phrases.some(({ phrase }) => phrase.isPronoun || phrase.tail)).toBe(false)
    expect(Math.abs(share(phrases, ({ phrase }) => phrase.colour ?? phrase.size) - 0.65)).toBeLessThan(0.05)
  })

  test('has twins that are mostly of one colour, to be counted', () => {
    const pairs = samples(old, 'gold', 1500).flatMap(({ scene: { objects } }) =>
      objects.flatMap((object, at) =>
        objects.slice(0, at).flatMap((first) => (first.concept === object.concept ? [[first, object]] : [])),
      ),
    )
    expect(pairs.length).toBeGreaterThan(250)
    expect(Math.abs(share(pairs, ([a, b]) => a.colour === b.colour) - 0.6)).toBeLessThan(0.1)
  })
})

test('a world of one known concept: only attributes tell', () => {
  const [cat] = toy.concepts.known
  const recipe = { ...toy, concepts: { known: [cat], novel: toy.concepts.novel.slice(0, 1) } }
  for (const sample of samples(recipe, 'gold', 300)) {
    expectTrue(recipe, sample.scene, sample.words)
    for (const { phrase } of sample.words.mentions) {
      if (!phrase.isPronoun) expect([cat.name, pluralOf(cat)]).toContain(phrase.noun)
    }
  }
})
