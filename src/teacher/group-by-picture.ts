import type { Picture } from '../pictures/picture.js'
import { plainText } from '../words/plain-text.js'
import type { PhraseDetection, Query } from './teacher.js'

/** A picture and the different texts that are looked for in it, over all queries that show it. */
export interface PictureGroup {
  readonly picture: Picture
  readonly texts: readonly string[]
  /** Where each text is asked for: query and phrase. */
  readonly places: readonly (readonly (readonly [query: number, phrase: number])[])[]
}

/** Queries by their picture, so that what several captions ask of one picture is asked together, and once. */
export function groupByPicture(queries: readonly Query[], clean: (text: string) => string): PictureGroup[] {
  const groups = new Map<Picture, Map<string, [number, number][]>>()
  queries.forEach(({ picture, text, phrases }, query) => {
    const points = [...text]
    let places = groups.get(picture)
    if (!places) {
      places = new Map()
      groups.set(picture, places)
    }
    for (const [phrase, [start, end]] of phrases.entries()) {
      const words = clean(plainText(points.slice(start, end).join('')))
      if (words === '') continue
      const known = places.get(words)
      if (known) known.push([query, phrase])
      else places.set(words, [[query, phrase]])
    }
  })
  return [...groups].map(([picture, places]) => ({
    picture,
    texts: [...places.keys()],
    places: [...places.values()],
  }))
}

/**
 * Gives the boxes of groups' texts to the queries that asked for them: a list for each query, best first.
 *
 * @param answers of each group, the boxes of each of its texts
 */
export function distributeBoxes(
  queries: readonly Query[],
  groups: readonly PictureGroup[],
  answers: readonly (readonly (readonly Omit<PhraseDetection, 'phrase'>[])[])[],
): PhraseDetection[][] {
  const found: PhraseDetection[][] = queries.map(() => [])
  for (const [group, { places }] of groups.entries()) {
    answers[group]!.forEach((boxes, text) => {
      for (const [query, phrase] of places[text]!)
        found[query]!.push(...boxes.map((box) => ({ ...box, phrase })))
    })
  }
  for (const boxes of found) boxes.sort((a, b) => b.score - a.score)
  return found
}
