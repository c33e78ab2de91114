import { random } from '../../base/random.js'
import { UserError } from '../../base/user-error.js'
import type { AskedPart } from '../../words/asked-span.js'
import type { Sample, SampleSource } from './sample.js'

/** Which samples of a source are taken. */
export interface SampleChoice {
  /** Pictures that show each category, for few-shot training; all samples where it is not given. */
  readonly shots?: number
  readonly shot_seed: number
  /** Prompt tuning learns of category names alone. */
  readonly tune: 'full' | 'prompt'
  /** Whether pictures without a box are taken where it is known of something that it is not in them. */
  readonly untargeted?: boolean
  /** Which words stand for a phrase; all of it where it is not given. */
  readonly words?: AskedPart
}

export const allSamples: SampleChoice = { tune: 'full', shot_seed: 0 }

/**
 * Which samples are taken, and the category names of the whole source where it was looked through for them.
 *
 * @throws UserError where categories are needed and no sample names any
 */
export async function chooseSamples(
  samples: () => AsyncIterable<Sample>,
  source: SampleSource,
  { shots, shot_seed, tune }: SampleChoice,
): Promise<{ readonly wanted: (sample: Sample) => boolean; readonly named: ReadonlySet<string> }> {
  const named = new Set<string>()
  if (shots === undefined && tune === 'full') return { wanted: () => true, named }
  const pictures: ShownCategories[] = []
  for await (const { key, captions } of samples()) {
    const caption = captions.find(({ kind }) => kind === 'categories')
    if (!caption) continue
    const points = [...caption.text]
    const categories = caption.grounded.map(({ start, end }) => points.slice(start, end).join(''))
    for (const name of categories) named.add(name)
    pictures.push({ key, categories })
  }
  if (pictures.length === 0) {
    throw new UserError(
      `${source.storage.url}: no picture of grounding "${source.grounding}" names categories, which ${shots === undefined ? 'prompt tuning learns' : 'few-shot pictures are chosen by'}.`,
    )
  }
  const keys = new Set(
    shots === undefined ? pictures.map(({ key }) => key) : chooseShots(pictures, shots, shot_seed),
  )
  return { wanted: ({ key }) => keys.has(key), named }
}

/** A picture and the categories that it shows, each once. */
export interface ShownCategories {
  readonly key: string
  readonly categories: readonly string[]
}

/**
 * Few-shot pictures as the official code chooses them: in an order that the seed decides, a picture is taken
 * where one of its categories is still shown by fewer than `shots` of those taken. Its other categories are
 * counted too, so that common ones are shown more often than that, and none less often that enough pictures
 * show.
 *
 * (The official order is that of Python's `random`; ODinW publishes its own pictures as files, which any
 * ingest reads.)
 *
 * @returns keys, in the order in which they were chosen
 */
export function chooseShots(pictures: readonly ShownCategories[], shots: number, seed: number): string[] {
  const shown = new Map<string, number>()
  const count = (category: string) => shown.get(category) ?? 0
  return random(seed, 'shots')
    .shuffle(pictures)
    .filter(({ categories }) => {
      if (!categories.some((category) => count(category) < shots)) return false
      for (const category of categories) shown.set(category, count(category) + 1)
      return true
    })
    .map(({ key }) => key)
}
