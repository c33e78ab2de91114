import { type Random, random } from '../base/random.js'
import { distractors, grammars, type Part } from './grammars.js'
import type { Scene } from './layout-scene.js'
import { chooseNounPhrases, type NounPhrase } from './noun-phrases.js'
import type { Recipe } from './recipe.js'
import { scramblePhrase } from './scramble-phrase.js'

export interface Mention {
  /** Span of the noun phrase in the caption, in code points, half open. */
  readonly start: number
  readonly end: number
  /** The objects of the scene that the phrase names: all and only those it is true of. */
  readonly objects: readonly number[]
  /** What it is made of. */
  readonly phrase: NounPhrase
}

export interface Description {
  readonly caption: string
  /** In the order of the caption. */
  readonly mentions: readonly Mention[]
  /** Name of the grammar that it was made by. */
  readonly grammar: string
}

/**
 * Words for a scene. Every noun phrase with a span names all and only the objects that it is true of, and
 * what is said of places and relations is true; where the recipe scrambles the web, its colours, sizes and
 * places are false of them. The recipe, the split and the index decide everything.
 */
export function describeScene(recipe: Recipe, scene: Scene): Description {
  const draw = random(recipe.seed, 'caption', scene.split, scene.index)
  const phrases = phrasesOf(recipe, scene, draw)
  const open = draw.shuffle(grammars.filter(({ splits }) => splits.includes(scene.split)))
  for (const grammar of open) {
    const parts = grammar.write(phrases, scene, draw)
    if (!parts) continue
    const { caption, mentions } = assemble(dress(parts, grammar.name, scene, draw))
    return { caption, mentions, grammar: grammar.name }
  }
  throw new Error(`no grammar suits scene ${scene.index} of ${scene.split}`)
}

function phrasesOf(recipe: Recipe, scene: Scene, draw: Random): NounPhrase[] {
  const phrases = chooseNounPhrases(recipe, scene, draw)
  if (scene.split !== 'web' || recipe.web.scramble === 'none') return phrases
  // A stream of its own: all else of the caption is as without it.
  const wrong = random(recipe.seed, 'scramble', scene.split, scene.index)
  return phrases.map((phrase) => scramblePhrase(phrase, scene, Object.keys(recipe.colours), wrong))
}

/** Adds what people write around what they see: distractors, a capital letter, a stop, an emoji. */
function dress(parts: readonly Part[], grammar: string, { split }: Scene, draw: Random): Part[] {
  const dressed = [...parts]
  if (grammar !== 'title' && draw.next() < (split === 'web' ? 0.45 : 0.2)) {
    if (draw.next() < 0.25) dressed.unshift(`${draw.pick(distractors)}, `)
    else dressed.push(draw.pick([' ', ', ']), draw.pick(distractors))
  }
  const [first] = dressed
  if (draw.next() < 0.3 && first !== undefined) dressed[0] = capitalised(first)
  const luck = draw.next()
  if (luck < 0.25) dressed.push('.')
  else if (luck < 0.3) dressed.push('!')
  // Outside the basic plane, where characters of a string and code points part.
  const emoji = draw.next()
  if (emoji < 0.02) dressed.unshift(draw.pick(['🎉 ', '📷 ']))
  else if (emoji < 0.04) dressed.push(draw.pick([' 🎉', ' 📷']))
  return dressed
}

function capitalised(part: Part): Part {
  const raise = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
  return typeof part === 'string' ? raise(part) : { ...part, text: raise(part.text) }
}

function assemble(parts: readonly Part[]): { caption: string; mentions: Mention[] } {
  let caption = ''
  let length = 0
  const mentions: Mention[] = []
  for (const part of parts) {
    const text = typeof part === 'string' ? part : part.text
    const end = length + [...text].length
    if (typeof part !== 'string') {
      const { phrase } = part
      mentions.push({ start: length, end, objects: phrase.objects, phrase })
    }
    caption += text
    length = end
  }
  return { caption, mentions }
}
