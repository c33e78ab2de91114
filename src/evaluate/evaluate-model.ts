import { z } from 'zod'
import { zip } from '../base/zip.js'
import { unscaleBox } from '../boxes/xyxy.js'
import { committedFile } from '../shards/committed-file.js'
import { joinRows } from '../shards/join-rows.js'
import type { RowParts } from '../shards/row-parts.js'
import type { Teacher } from '../teacher/teacher.js'
import { attributeKinds } from '../words/attribute-values.js'
import { askAttributes } from './ask-attributes.js'
import { type AttributeContrast, type AttributeTable, attributeTable } from './attribute-contrast.js'
import { type Detection, DetectionTable } from './box-table.js'
import { bestOfPictures, boxesOfPicture, detectCategories, isMeant, promptsOf } from './category-prompts.js'
import { type CocoSummary, cocoAp, type GroundTruth } from './coco-ap.js'
import type { EvaluateConfig } from './config.js'
import { type EvaluationSet, type GoldImage, goldImages, inSource, truthOf } from './gold-images.js'
import { knownCategories } from './known-categories.js'
import { type PhrasePrediction, phraseRecall } from './phrase-recall.js'
import { categoryOutcomes, type PictureOutcomes, pairOutcomes, phraseOutcomes } from './picture-outcomes.js'
import { type PresenceScores, presenceCounts, scoresOfCounts } from './presence-scores.js'

export interface Evaluation extends CocoSummary, PresenceScores {
  readonly recall1: number
  readonly recall5: number
  readonly recall10: number
  readonly images: number
  readonly phrases: number
  readonly categories: number
  /** Where the configuration asks for it: whether phrases are told from those with another attribute. */
  readonly attributes?: AttributeTable
}

export interface EvaluateOptions {
  readonly onProgress?: (images: number, total: number) => void
  /** Told at the end what became of the answers, picture by picture. */
  readonly onOutcomes?: (outcomes: PictureOutcomes) => void
  readonly signal?: AbortSignal
  /** Where answers are kept while others are asked for: who was stopped goes on from them. */
  readonly parts?: RowParts<WindowAnswers>
}

/** What a teacher has answered of a window of pictures. */
export interface WindowAnswers {
  /** Of its pictures. */
  readonly keys: readonly string[]
  /** With the place of each phrase's picture in the window. */
  readonly phrases: readonly (PhrasePrediction & { readonly image: number })[]
  readonly contrasts: readonly AttributeContrast[]
  /** With the place of each box's picture in the window. */
  readonly found: readonly Detection[]
}

const numbers = (count: number) => z.array(z.number()).length(count)
const place = z.number().int().min(0)
const scores = z.object({ place: z.number(), presence: z.number() })
const windowAnswers = z.object({
  keys: z.array(z.string()),
  phrases: z.array(z.object({ image: place, predicted: z.array(numbers(4)), targets: z.array(numbers(4)) })),
  contrasts: z.array(
    z.object({
      kind: z.enum(attributeKinds),
      stated: scores,
      swapped: scores,
      absent: z.boolean(),
      found: z.boolean(),
      chance: z.number(),
    }),
  ),
  found: z.array(z.object({ image: place, category: place, bbox: numbers(4), score: z.number() })),
})

/** Whether a value of JSON is what a teacher has answered of a window. */
export const isWindowAnswers = (value: unknown): value is WindowAnswers =>
  windowAnswers.safeParse(value).success

/** Pictures held in memory at once at most; progress is told, and answers may be kept, after each window of them. */
const mostImages = 16

/**
 * COCO AP and SAM 3's cgF1 over prompts of category names, and recall@k over the phrases of gold captions.
 *
 * @param categories names that count; those of the set's own gold by default
 */
export async function evaluateModel(
  teacher: Teacher,
  set: EvaluationSet,
  config: EvaluateConfig,
  categories: readonly string[],
  { onProgress, onOutcomes, signal, parts }: EvaluateOptions = {},
): Promise<Evaluation> {
  const total = await imagesOf(set)
  // Few where they are asked for one at a time: what is stopped loses a window.
  const windowImages = Math.min(mostImages, 2 * teacher.batch * teacher.parallel)
  const prompts = promptsOf(categories, config.names_a_prompt, teacher)
  const truth: GroundTruth[] = []
  const detections = new DetectionTable()
  const phrases: (PhrasePrediction & { readonly image: number })[] = []
  const contrasts: AttributeContrast[] = []
  let images = 0
  let window: GoldImage[] = []
  const ask = async (keys: readonly string[]): Promise<WindowAnswers> => {
    const isAsked = !teacher.prompt
    // A prompt-tuned model understands its own prompt alone.
    const grounded = isAsked ? await groundPhrases(teacher, window, config) : []
    signal?.throwIfAborted()
    const contrasted = isAsked && config.attributes ? await askAttributes(teacher, window, config) : []
    const pictures = window.map(({ picture }) => picture)
    const found: Detection[] = []
    for (const prompt of prompts) {
      signal?.throwIfAborted()
      found.push(...(await detectCategories(teacher, pictures, prompt, categories, config)))
    }
    return { keys, phrases: grounded, contrasts: contrasted, found }
  }
  const kept = parts?.kept()
  let mayKeep = true
  const answersOf = async (): Promise<WindowAnswers> => {
    const keys = window.map(({ gold }) => gold.key)
    const { value } = (mayKeep && (await kept?.next())) || {}
    if (value?.keys.join() === keys.join()) return value
    // Windows of another size, of an older version: what comes now does not go on from them.
    if (value) {
      mayKeep = false
      await parts?.remove()
    }
    const answers = await ask(keys)
    if (mayKeep) await parts?.add([answers])
    return answers
  }
  const flush = async () => {
    const first = images - window.length
    const answers = await answersOf()
    for (const phrase of answers.phrases) phrases.push({ ...phrase, image: first + phrase.image })
    contrasts.push(...answers.contrasts)
    for (const { image, bbox, ...box } of bestOfPictures(answers.found, boxesOfPicture))
      detections.push({ ...box, image: first + image, bbox: inSource(bbox, window[image]?.unit ?? 1) })
    window = []
    onProgress?.(images, total)
  }
  try {
    for await (const image of goldImages(set, teacher.pictureSide)) {
      for (const box of image.boxes) {
        const category = categories.indexOf(box.category)
        if (category >= 0) truth.push({ image: images, category, ...truthOf(box, image.unit) })
      }
      images++
      window.push(image)
      if (window.length >= windowImages) await flush()
    }
    if (window.length > 0) await flush()
  } catch (error) {
    // A second failure would hide the first.
    await parts?.keep().catch(() => {})
    throw error
  }
  const known = await knownCategories(set, categories)
  const ids = [...categories.keys()]
  const pairs = presenceCounts(known, ids, truth, detections, config.presence_score)
  onOutcomes?.({
    images,
    phrases: phraseOutcomes(phrases),
    categories: categoryOutcomes(truth, detections),
    pairs: pairOutcomes(pairs, images),
  })
  const [recall1, recall5, recall10] = phraseRecall(phrases, [1, 5, 10])
  return {
    ...cocoAp(truth, detections),
    ...scoresOfCounts([...pairs.values()]),
    recall1,
    recall5,
    recall10,
    images,
    phrases: phrases.length,
    categories: categories.length,
    ...(config.attributes && { attributes: attributeTable(contrasts) }),
  }
}

async function imagesOf({ storage, shards }: EvaluationSet): Promise<number> {
  let images = 0
  for (const shard of shards) images += (await committedFile(storage, 'images', null, shard)).rows
  return images
}

/** Category names of a set's gold, in alphabetical order. */
export async function categoriesOf({ storage, shards, stage }: EvaluationSet): Promise<string[]> {
  const names = new Set<string>()
  for (const shard of shards) {
    const parts = { images: { columns: ['captions'] }, phrases: { stage, columns: ['phrases'] } } as const
    for await (const { images, phrases } of joinRows(storage, shard, parts))
      for (const { caption, text } of phrases.phrases)
        if (images.captions[caption]?.kind === 'categories') names.add(text)
  }
  return [...names].sort()
}

/** @returns with the place of each phrase's picture among `images` */
async function groundPhrases(teacher: Teacher, images: readonly GoldImage[], config: EvaluateConfig) {
  const withPhrases = images
    .map((gold, image) => ({ ...gold, image }))
    .filter(({ text, phrases }) => text !== undefined && phrases.length > 0)
  const queries = withPhrases.map(({ picture, text, phrases }) => ({
    picture,
    text: text as string,
    phrases: phrases.map(({ span }) => span),
  }))
  // A phrase's best box counts however weak it is.
  const found = await teacher.detect(queries, { ...config, floor: 0 })
  const isFor = isMeant(teacher)
  return zip(withPhrases, found).flatMap(([{ image, picture, phrases }, boxes]) =>
    phrases.map(({ text, head, targets }, phrase) => ({
      image,
      predicted: boxes
        .filter((box) => box.phrase === phrase && isFor(box, { text, head }))
        .map(({ xyxy }) => unscaleBox(xyxy, picture.scale)),
      targets,
    })),
  )
}
