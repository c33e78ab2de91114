import type { Random } from '../base/random.js'
import type { Scene } from './layout-scene.js'
import { type NounPhrase, sizeWords } from './noun-phrases.js'
import { wrongPlaces } from './places.js'

/**
 * The phrase with a wrong colour, size and place where it has one: each is false of every object that the
 * phrase names. Noun and number stay. It is the control that shows whether anything is learned by attributes.
 */
export function scramblePhrase(
  phrase: NounPhrase,
  scene: Scene,
  colours: readonly string[],
  draw: Random,
): NounPhrase {
  const { size, colour, place, objects } = phrase
  const isSmall = sizeWords.small.some((word) => word === size)
  const wrong = wrongPlaces(objects, scene)
  return {
    ...phrase,
    ...(size === undefined ? {} : { size: draw.pick(sizeWords[isSmall ? 'big' : 'small']) }),
    ...(colour === undefined ? {} : { colour: draw.pick(colours.filter((other) => other !== colour)) }),
    ...(place === undefined ? {} : { place: draw.pick(wrong) }),
    places: wrong,
  }
}
