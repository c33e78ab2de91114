import { zip } from '../base/zip.js'
import { unscaleBox } from '../boxes/xyxy.js'
import { committedFile } from '../shards/committed-file.js'
import { joinRows } from '../shards/join-rows.js'
import type { Teacher } from '../teacher/teacher.js'
import { askAttributes } from './ask-attributes.js'
import { type AttributeContrast, type AttributeTable, attributeTable } from './attribute-contrast.js'
import { bestOfPictures, boxesOfPicture, detectCategories, isMeant, promptsOf } from './category-prompts.js'
import { type CocoSummary, cocoAp, type Detection, type GroundTruth } from './coco-ap.js'
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
}

/** Pictures held in memory at once; progress is told after each window of them. */
const windowImages = 16

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
  { onProgress, onOutcomes, signal }: EvaluateOptions = {},
): Promise<Evaluation> {
  const total = await imagesOf(set)
  const prompts = promptsOf(categories, config.names_a_prompt, teacher)
  const truth: GroundTruth[] = []
  const detections: Detection[] = []
  const phrases: (PhrasePrediction & { readonly image: number })[] = []
  const contrasts: AttributeContrast[] = []
  let images = 0
  let window: GoldImage[] = []
  const flush = async () => {
    const first = images - window.length
    // A prompt-tuned model understands its own prompt alone.
    if (!teacher.prompt) {
      for (const phrase of await groundPhrases(teacher, window, config))
        phrases.push({ ...phrase, image: first + phrase.image })
      signal?.throwIfAborted()
      if (config.attributes) contrasts.push(...(await askAttributes(teacher, window, config)))
    }
    const pictures = window.map(({ picture }) => picture)
    const found: Detection[] = []
    for (const prompt of prompts) {
      signal?.throwIfAborted()
      found.push(...(await detectCategories(teacher, pictures, prompt, categories, config)))
    }
    for (const { image, bbox, ...box } of bestOfPictures(found, boxesOfPicture))
      detections.push({ ...box, image: first + image, bbox: inSource(bbox, window[image]?.unit ?? 1) })
    window = []
    onProgress?.(images, total)
  }
  for await (const image of goldImages(set, teacher.pictureSide)) {
    for (const box of image.boxes) {
      const category = categories.indexOf(box.category)
      if (category >= 0) truth.push({ image: images, category, ...truthOf(box, image.unit) })
    }
    images++
    window.push(image)
    if (window.length === windowImages) await flush()
  }
  if (window.length > 0) await flush()
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
