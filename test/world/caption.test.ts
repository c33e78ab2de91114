import { beforeAll, describe, expect, test } from 'vitest'
import { type Description, describeScene } from '../../src/world/describe-scene.js'
import { distractors, grammars, indefiniteArticle } from '../../src/world/grammars.js'
import { layoutScene, type Scene } from '../../src/world/layout-scene.js'
import { type InkMap, measureInk } from '../../src/world/measure-ink.js'
import { pluralOf, type Recipe, type Split } from '../../src/world/recipe.js'
import { expectTrue, readPhrase, sideOf, slice } from './read-phrase.js'
import { toyRecipe } from './toy-recipe.js'

let recipe: Recipe
let ink: InkMap
const samples = new Map<Split, readonly { scene: Scene; words: Description }[]>()
const splits: readonly Split[] = ['gold', 'web', 'known', 'novel', 'attributes']

beforeAll(async () => {
  recipe = await toyRecipe()
  ink = await measureInk(recipe)
  for (const split of splits) {
    samples.set(
      split,
      Array.from({ length: 1500 }, (_, index) => {
        const scene = layoutScene(recipe, ink, split, index)
        return { scene, words: describeScene(recipe, scene) }
      }),
    )
  }
})

describe.each(splits)('captions of %s', (split) => {
  test('a span is a noun phrase that names all and only what it is true of', () => {
    let counted = 0
    for (const { scene, words } of samples.get(split)!) {
      expectTrue(recipe, scene, words)
      counted += words.mentions.filter(({ objects }) => objects.length > 1).length
    }
    expect(counted).toBeGreaterThan(100)
  })

  test('what is said of places is true', () => {
    let said = 0
    const corner =
      /(?:in|at|on) the (?:(top|bottom)(?: (left|right))?|(left|right)|(middle|center))(?: corner| side)?/
    for (const { scene, words } of samples.get(split)!) {
      words.mentions.forEach(({ start, end, objects }, at) => {
        const next = words.mentions[at + 1]?.start ?? [...words.caption].length
        const after = slice(words.caption, end, next)
        const before = slice(words.caption, words.mentions[at - 1]?.end ?? 0, start)
        const placed =
          words.grammar === 'place first'
            ? corner.exec(before.toLowerCase())
            : new RegExp(`^ ${corner.source}`).exec(after)
        if (!placed) return
        said++
        for (const object of objects) {
          const { box } = scene.objects[object]
          const x = (box[0] + box[2]) / 2 / scene.size
          const y = (box[1] + box[3]) / 2 / scene.size
          const [, row, side, onlySide, middle] = placed
          const column = side ?? onlySide
          const message = `${words.caption}: ${x} ${y}`
          if (row === 'top') expect(y, message).toBeLessThan(0.4)
          if (row === 'bottom') expect(y, message).toBeGreaterThan(0.6)
          if (column === 'left') expect(x, message).toBeLessThan(0.4)
          if (column === 'right') expect(x, message).toBeGreaterThan(0.6)
          if (middle) expect(Math.max(Math.abs(x - 0.5), Math.abs(y - 0.5)), message).toBeLessThan(0.2)
        }
      })
    }
    // Bare names have no places, and those of the attributes split are part of their phrases.
    if (split === 'novel' || split === 'attributes') expect(said).toBe(0)
    else expect(said).toBeGreaterThan(250)
  })

  test('what is said of relations is true', () => {
    const said = new Map<string, number>()
    for (const { scene, words } of samples.get(split)!) {
      for (const [at, second] of words.mentions.slice(1).entries()) {
        const first = words.mentions[at]
        const between = slice(words.caption, first.end, second.start)
        const relation = /(left of|right of|above|over|below|under|next to|beside) $/.exec(between)?.[1]
        if (!relation) continue
        said.set(relation, (said.get(relation) ?? 0) + 1)
        expect([first.objects.length, second.objects.length]).toEqual([1, 1])
        const [a, b] = [first, second].map(({ objects }) => scene.objects[objects[0]].box)
        const middle = (low: number, high: number) => (low + high) / 2
        const dx = middle(b[0], b[2]) - middle(a[0], a[2])
        const dy = middle(b[1], b[3]) - middle(a[1], a[3])
        const far = Math.max(b[0] - a[2], a[0] - b[2], b[1] - a[3], a[1] - b[3])
        const message = `${words.caption}: ${a} / ${b}`
        if (relation === 'left of') expect(dx, message).toBeGreaterThan(Math.abs(dy))
        if (relation === 'right of') expect(-dx, message).toBeGreaterThan(Math.abs(dy))
        if (relation === 'above' || relation === 'over') expect(dy, message).toBeGreaterThan(Math.abs(dx))
        if (relation === 'below' || relation === 'under') expect(-dy, message).toBeGreaterThan(Math.abs(dx))
        if (relation === 'next to' || relation === 'beside') expect(far, message).toBeLessThan(scene.size / 6)
      }
    }
    if (split === 'novel' || split === 'attributes') expect(said.size).toBe(0)
    else expect(said.size).toBe(8)
  })

  test('every grammar that is open to it occurs', () => {
    const used = new Set(samples.get(split)!.map(({ words }) => words.grammar))
    const open = grammars.filter((grammar) => grammar.splits.includes(split)).map(({ name }) => name)
    expect([...used].sort()).toEqual(open.sort())
  })

  test('is one line of few words, with every distractor and some emoji', () => {
    const captions = samples.get(split)!.map(({ words }) => words.caption)
    for (const caption of captions) {
      expect(caption).toMatch(/^\S.*\S$/)
      expect(caption).not.toMatch(/[\t\n]|\s\s/)
      expect(caption.split(' ').length).toBeLessThanOrEqual(36)
    }
    const text = captions.join('\n').toLowerCase()
    for (const distractor of distractors) expect(text).toContain(distractor)
    expect(captions.some((caption) => caption.length > [...caption].length)).toBe(true)
  })
})

test('gold and held-out known captions have no word of a novel concept', () => {
  const words = recipe.concepts.novel.flatMap((concept) => [
    ...concept.name.split(' '),
    ...pluralOf(concept).split(' '),
  ])
  const novel = new RegExp(`\\b(${words.join('|')})\\b`, 'i')
  for (const split of ['gold', 'known', 'attributes'] as const) {
    for (const { words } of samples.get(split)!) expect(words.caption).not.toMatch(novel)
  }
  expect(samples.get('web')!.every(({ words }) => novel.test(words.caption))).toBe(true)
})

test('held-out novel captions name novel concepts alone, by their bare names', () => {
  for (const { scene, words } of samples.get('novel')!) {
    for (const { start, end, objects } of words.mentions) {
      const phrase = readPhrase(recipe, slice(words.caption, start, end))
      expect(phrase.size ?? phrase.colour).toBeUndefined()
      for (const at of objects) expect(scene.objects[at].novel).toBe(true)
    }
  }
})

test('most web phrases tell their objects apart by something else than the noun', () => {
  let [told, bare, mentions] = [0, 0, 0]
  for (const { scene, words } of samples.get('web')!) {
    for (const { start, end, objects } of words.mentions) {
      const { size, colour } = readPhrase(recipe, slice(words.caption, start, end))
      mentions++
      bare += Number(!size && !colour)
      if (!size && !colour) continue
      const others = scene.objects.filter((_, at) => !objects.includes(at))
      const alone = others.every(
        (other) =>
          (colour && other.colour !== colour) ||
          (size === 'small' && sideOf(other) >= recipe.scene.small_below) ||
          (size === 'big' && sideOf(other) <= recipe.scene.big_above),
      )
      told += Number(alone)
    }
  }
  expect(told / mentions).toBeGreaterThan(0.55)
  expect(bare / mentions).toBeGreaterThan(recipe.web.bare_share - 0.05)
  expect(bare / mentions).toBeLessThan(recipe.web.bare_share + 0.2)
})

test('captions leave things out', () => {
  for (const split of splits) {
    const left = samples
      .get(split)!
      .some(
        ({ scene, words }) => words.mentions.flatMap(({ objects }) => objects).length < scene.objects.length,
      )
    expect(left).toBe(true)
  }
})

test('articles go by sound', () => {
  expect(['owl', 'unicorn', 'umbrella', 'orange cat', 'eucalyptus', 'cat'].map(indefiniteArticle)).toEqual([
    'an',
    'a',
    'an',
    'an',
    'a',
    'a',
  ])
})
