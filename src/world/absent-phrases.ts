import { random } from '../base/random.js'
import type { Description } from './describe-scene.js'
import type { Scene, SceneObject } from './layout-scene.js'
import { type NounPhrase, sizeWords } from './noun-phrases.js'
import type { Recipe } from './recipe.js'

/** Phrases that a picture gets. */
const most = 6

/** Of these, at most so many that take a noun of the caption with something that it is not. */
const mostSwaps = 3

/**
 * Phrases without a determiner that are true of nothing in the scene, up to six: nouns of its caption with
 * another colour or size ("blue cat" where the cats are red), and names of concepts that are not there. Splits
 * without novel concepts get none of their names. The recipe, the split and the index decide everything.
 */
export function absentPhrases(recipe: Recipe, scene: Scene, { mentions }: Description): string[] {
  const draw = random(recipe.seed, 'absent', scene.split, scene.index)
  const swaps = [...new Set(mentions.flatMap(({ phrase }) => swapsOf(phrase, scene, recipe)))]
  const names = draw.shuffle(absentNames(recipe, scene))
  const chosen = draw.shuffle(swaps).slice(0, Math.max(mostSwaps, most - names.length))
  return [...chosen, ...names].slice(0, most)
}

function swapsOf(phrase: NounPhrase, scene: Scene, recipe: Recipe): string[] {
  const first = scene.objects[phrase.objects[0] ?? -1]
  if (!first) return []
  const noun = phrase.isPronoun ? phrase.noun.replace(/s$/, '') : first.concept.name
  const candidates = phrase.isPronoun
    ? scene.objects
    : scene.objects.filter(({ concept }) => concept.name === first.concept.name)
  const isColour = (colour: string) => (object: SceneObject) => object.colour === colour
  const size = phrase.size === undefined ? undefined : first.size
  const swaps = Object.keys(recipe.colours)
    .filter((colour) => !candidates.some(isColour(colour)))
    .map((colour) => [phrase.size, colour, noun])
  if (size) {
    const other = size === 'small' ? 'big' : 'small'
    const { colour } = phrase
    const rivals = colour === undefined ? candidates : candidates.filter(isColour(colour))
    // What is neither small nor big might pass for it.
    if (rivals.every((object) => object.size === size)) swaps.push([sizeWords[other][0], colour, noun])
  }
  return swaps.map((words) => words.filter((word) => word !== undefined).join(' '))
}

function absentNames({ concepts }: Recipe, { split, objects }: Scene): string[] {
  const isNovel = split === 'web' || split === 'novel'
  const words = new Set(objects.flatMap(({ concept }) => concept.name.split(' ')))
  return (isNovel ? [...concepts.known, ...concepts.novel] : concepts.known)
    .map(({ name }) => name)
    .filter((name) => !name.split(' ').some((word) => words.has(word)))
}
