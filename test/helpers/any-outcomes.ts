import { random } from '../../src/base/random.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import type { Detection } from '../../src/evaluate/box-table.js'
import type { GroundTruth } from '../../src/evaluate/coco-ap.js'
import type { PhrasePrediction } from '../../src/evaluate/phrase-recall.js'
import {
  categoryOutcomes,
  type PictureOutcomes,
  pairOutcomes,
  phraseOutcomes,
} from '../../src/evaluate/picture-outcomes.js'
import { type KnownCategories, presenceCounts } from '../../src/evaluate/presence-scores.js'

/** What a set asks and what a model answers, picture by picture. */
export interface Answered {
  readonly truth: readonly GroundTruth[]
  readonly detections: readonly Detection[]
  readonly phrases: readonly (PhrasePrediction & { readonly image: number })[]
}

export const outcomesOf = ({ truth, detections, phrases }: Answered, images: number): PictureOutcomes => ({
  images,
  phrases: phraseOutcomes(phrases),
  categories: categoryOutcomes(truth, detections),
  pairs: pairOutcomes(presenceCounts(allKnown(images), [0, 1, 2, 3], truth, detections, 0.5), images),
})

/** Of every picture all categories that it shows are boxed. */
export const allKnown = (images: number): ReadonlyMap<number, KnownCategories> =>
  new Map(Array.from({ length: images }, (_, at) => [at, { exhaustive: true, absent: [], partial: [] }]))

/** Outcomes of phrases alone. */
export const onlyPhrases = (images: number, phrases: PictureOutcomes['phrases']): PictureOutcomes => ({
  images,
  phrases,
  categories: [],
  pairs: pairOutcomes(new Map(), images),
})

/** A set of pictures with up to three boxes each, a phrase for each box, and what a model answers. */
export function drawAnswers(
  set: number,
  model: number | string,
  images: number,
  { right = 0.5, categories = 4 } = {},
): Answered {
  const scene = random(set, 'set')
  const answer = random(set, model, 'answers')
  const truth: GroundTruth[] = []
  const detections: Detection[] = []
  const phrases: (PhrasePrediction & { image: number })[] = []
  const far: Xyxy = [200, 200, 210, 210]
  for (let image = 0; image < images; image++) {
    for (let box = scene.integer(4); box > 0; box--) {
      const category = scene.integer(categories)
      const [x, y] = [scene.integer(40), scene.integer(40)]
      const [width, height] = [10 + scene.integer(30), 10 + scene.integer(30)]
      const iscrowd = scene.next() < 0.05
      truth.push({ image, category, bbox: [x, y, width, height], area: width * height, iscrowd })
      const target: Xyxy = [x, y, x + width, y + height]
      const isRight = answer.next() < right
      const shift = answer.integer(5)
      const found = [x + shift, y, width, height] as const
      if (isRight) detections.push({ image, category, bbox: found, score: answer.next() })
      const wrong = Array.from({ length: answer.integer(3) }, () => far)
      phrases.push({ image, targets: [target], predicted: isRight ? [...wrong, target] : wrong })
    }
    for (let box = answer.integer(3); box > 0; box--) {
      const bbox = [answer.integer(40), answer.integer(40), 20, 20] as const
      detections.push({ image, category: answer.integer(categories), bbox, score: answer.next() })
    }
  }
  return { truth, detections, phrases }
}
