import { expect } from 'vitest'
import type { Description } from '../../src/world/describe-scene.js'
import { indefiniteArticle } from '../../src/world/grammars.js'
import type { Scene, SceneObject } from '../../src/world/layout-scene.js'
import { pluralOf, pronouns, type Recipe } from '../../src/world/recipe.js'

const numbers = ['two', 'three', 'four', 'five', 'six']

/** By code points. */
export const slice = (caption: string, start: number, end: number) => [...caption].slice(start, end).join('')

/** Reads a noun phrase back: what it claims, by its words alone. */
export function readPhrase(recipe: Recipe, text: string) {
  const determiners = new RegExp(`^(?:((?:the )?(?:${numbers.join('|')})|an?|the|some) )?(.*)$`)
  const [, determiner = '', rest] = determiners.exec(text.toLowerCase()) as RegExpExecArray
  const sides = /^(.*?)( (?:on|at) the (?:left|right|top|bottom)(?: side)?)?$/
  const [, before, tail] = sides.exec(rest) as RegExpExecArray
  const words = before.split(' ')
  const size = { small: 'small', little: 'small', big: 'big', large: 'big' }[words[0]]
  if (size) words.shift()
  const colour = words[0] in recipe.colours ? words.shift() : undefined
  const noun = words.join(' ')
  const side = tail && /left|right|top|bottom/.exec(tail)?.[0]
  const said = { determiner, size, colour, noun, side }
  const pronoun = pronouns.find((word) => noun === word || noun === `${word}s`)
  if (pronoun) return { ...said, pronoun, singular: pronoun as string, plural: `${pronoun}s` }
  const concepts = [...recipe.concepts.known, ...recipe.concepts.novel]
  const concept = concepts.find((candidate) => candidate.name === noun || pluralOf(candidate) === noun)
  expect(concept, `${text} names a concept`).toBeDefined()
  return { ...said, concept, singular: concept!.name, plural: pluralOf(concept!) }
}

export type ReadPhrase = ReturnType<typeof readPhrase>

export const sideOf = ({ box }: SceneObject) => Math.max(box[2] - box[0], box[3] - box[1])

/**
 * Is what the phrase claims true of the object? By the recipe's own numbers, not by the generator's marks. A
 * side of the picture is its half here: so nothing of the kind may stand between a side and the other half.
 */
export function isTrueOf({ scene }: Recipe, phrase: ReadPhrase, object: SceneObject): boolean {
  const { box } = object
  const x = (box[0] + box[2]) / 2 / scene.size
  const y = (box[1] + box[3]) / 2 / scene.size
  if ('concept' in phrase && phrase.concept && object.concept.name !== phrase.concept.name) return false
  if (phrase.side === 'left' && x >= 0.5) return false
  if (phrase.side === 'right' && x <= 0.5) return false
  if (phrase.side === 'top' && y >= 0.5) return false
  if (phrase.side === 'bottom' && y <= 0.5) return false
  if (phrase.colour && object.colour !== phrase.colour) return false
  if (phrase.size === 'small') return sideOf(object) < scene.small_below
  if (phrase.size === 'big') return sideOf(object) > scene.big_above
  return true
}

/** Spans in order, each a well-formed phrase that is true of its objects and of nothing else, none twice. */
export function expectTrue(recipe: Recipe, scene: Scene, { caption, mentions }: Description): void {
  expect(mentions.length).toBeGreaterThan(0)
  const named = mentions.flatMap(({ objects }) => objects)
  expect(new Set(named).size, caption).toBe(named.length)
  let last = 0
  for (const { start, end, objects } of mentions) {
    expect(start).toBeGreaterThanOrEqual(last)
    last = end
    const text = slice(caption, start, end)
    const phrase = readPhrase(recipe, text)
    const all = scene.objects.flatMap((object, at) => (isTrueOf(recipe, phrase, object) ? [at] : []))
    expect([...objects].sort(), `${text} | ${caption}`).toEqual(all)
    expectGrammatical(text, phrase, all.length)
    for (const at of phrase.side ? objects : []) {
      const { box } = scene.objects[at]
      const isAcross = phrase.side === 'left' || phrase.side === 'right'
      const middle = (isAcross ? box[0] + box[2] : box[1] + box[3]) / 2 / recipe.scene.size
      const isLow = phrase.side === 'left' || phrase.side === 'top'
      expect(isLow ? middle : 1 - middle, `${text} | ${caption}`).toBeLessThan(0.4)
    }
  }
  expect(last).toBeLessThanOrEqual([...caption].length)
}

export function expectGrammatical(text: string, { determiner, ...phrase }: ReadPhrase, count: number): void {
  expect(phrase.noun, text).toBe(count === 1 ? phrase.singular : phrase.plural)
  const number = numbers.find((word) => determiner.endsWith(word))
  if (number) expect(numbers.indexOf(number) + 2, text).toBe(count)
  if (count > 1) expect(determiner, text).not.toMatch(/^an?$/)
  if (/^an?$/.test(determiner)) {
    expect(determiner, text).toBe(indefiniteArticle(text.slice(determiner.length + 1)))
  }
}
