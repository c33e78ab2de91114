import { labelMatches } from '../label-matches.js'
import { decodePicture, type Picture } from '../picture.js'
import { familyPath } from '../shards/family-path.js'
import { openParquet } from '../shards/open-parquet.js'
import { readShard } from '../shards/read-shard.js'
import type { Phrase, Xyxy } from '../shards/rows.js'
import type { Storage } from '../shards/storage.js'
import type { Found, Teacher } from '../teacher/teacher.js'
import { UserError } from '../user-error.js'
import { type CocoSummary, cocoAp, type Detection, type GroundTruth } from './coco-ap.js'
import type { EvaluateConfig } from './config.js'
import { type PhrasePrediction, phraseRecall } from './phrase-recall.js'

/** A dataset with gold boxes. */
export interface EvaluationSet {
  readonly storage: Storage
  readonly shards: readonly string[]
  /** The stage whose phrases and grounding are gold. */
  readonly stage: string
}

export interface Evaluation extends CocoSummary {
  readonly recall1: number
  readonly recall5: number
  readonly recall10: number
  readonly images: number
  readonly phrases: number
  readonly categories: number
}

interface GoldImage {
  readonly picture: Picture
  /** The written caption with its phrases and their boxes. */
  readonly text: string | undefined
  readonly phrases: readonly (Pick<Phrase, 'text' | 'head'> & {
    readonly span: readonly [number, number]
    readonly targets: readonly Xyxy[]
  })[]
  /** Boxes by category name. */
  readonly boxes: readonly { readonly category: string; readonly xyxy: Xyxy }[]
}

/** Pictures held in memory at once, and between two words of progress. */
const windowImages = 16

/**
 * COCO AP over prompts of category names, and recall@k over the phrases of gold captions.
 *
 * @param categories names that count; those of the set's own gold by default
 */
export async function evaluateModel(
  teacher: Teacher,
  set: EvaluationSet,
  config: EvaluateConfig,
  categories: readonly string[],
  onProgress?: (images: number, of: number) => void,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const total = await imagesOf(set)
  const prompts = promptsOf(categories, config.names_a_prompt, teacher)
  const truth: GroundTruth[] = []
  const detections: Detection[] = []
  const phrases: PhrasePrediction[] = []
  let images = 0
  let window: GoldImage[] = []
  const flush = async () => {
    for (const phrase of await groundPhrases(teacher, window, config)) phrases.push(phrase)
    const first = images - window.length
    for (const prompt of prompts) {
      signal?.throwIfAborted()
      for (const found of await detectCategories(teacher, window, prompt, categories, config, first))
        detections.push(found)
    }
    window = []
    onProgress?.(images, total)
  }
  for await (const image of goldImages(set, teacher.pictureSide)) {
    for (const { category, xyxy } of image.boxes) {
      const index = categories.indexOf(category)
      const [width, height] = [xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]]
      const bbox = [xyxy[0], xyxy[1], width, height] as const
      if (index >= 0)
        truth.push({ image: images, category: index, bbox, area: width * height, iscrowd: false })
    }
    images++
    window.push(image)
    if (window.length === windowImages) await flush()
  }
  if (window.length > 0) await flush()
  const [recall1, recall5, recall10] = phraseRecall(phrases, [1, 5, 10])
  const counts = { images, phrases: phrases.length, categories: categories.length }
  return { ...cocoAp(truth, detections), recall1, recall5, recall10, ...counts }
}

async function imagesOf({ storage, shards }: EvaluationSet): Promise<number> {
  let images = 0
  for (const shard of shards) {
    const { rows, close } = await openParquet(storage.path(familyPath('images', null, shard, 'parquet')))
    await close()
    images += rows
  }
  return images
}

/** Category names of a set's gold, in alphabetical order. */
export async function categoriesOf({ storage, shards, stage }: EvaluationSet): Promise<string[]> {
  const names = new Set<string>()
  for (const shard of shards) {
    const phrases = readShard(storage, 'phrases', stage, shard)
    try {
      for await (const { captions } of readShard(storage, 'images', null, shard, { columns: ['captions'] })) {
        const row = (await phrases.next()).value
        for (const { caption, text } of row?.phrases ?? [])
          if (captions[caption].kind === 'categories') names.add(text)
      }
    } finally {
      await phrases.return()
    }
  }
  return [...names].sort()
}

async function groundPhrases(teacher: Teacher, images: readonly GoldImage[], config: EvaluateConfig) {
  const asked = images.filter(({ text, phrases }) => text !== undefined && phrases.length > 0)
  const queries = asked.map(({ picture, text, phrases }) => ({
    picture,
    text: text as string,
    phrases: phrases.map(({ span }) => span),
  }))
  // A phrase's best box counts however weak it is.
  const found = await teacher.detect(queries, { ...config, floor: 0 })
  return asked.flatMap(({ picture, phrases }, index) =>
    phrases.map(
      ({ text, head, targets }, phrase): PhrasePrediction => ({
        predicted: found[index]
          .filter((box) => box.phrase === phrase && isMeant(box, { text, head }))
          .map(({ xyxy }) => unscale(xyxy, picture)),
        targets,
      }),
    ),
  )
}

interface CategoryPrompt {
  readonly text: string
  readonly spans: readonly (readonly [number, number])[]
  /** Index of the first name among all categories. */
  readonly first: number
}

/** Category names joined by '. ', as many as asked and as fit. */
function promptsOf(categories: readonly string[], most: number, teacher: Teacher): CategoryPrompt[] {
  const prompts: CategoryPrompt[] = []
  let names: string[] = []
  const flush = (next: number) => {
    if (names.length === 0) return
    let at = 0
    const spans = names.map((name) => {
      const start = at
      at += [...name].length + 2
      return [start, at - 2] as const
    })
    prompts.push({ text: names.join('. '), spans, first: next - names.length })
    names = []
  }
  categories.forEach((name, index) => {
    const longer = [...names, name].join('. ')
    if (names.length === most || (names.length > 0 && teacher.tokensOf(longer) > teacher.maxTokens))
      flush(index)
    names.push(name)
  })
  flush(categories.length)
  return prompts
}

async function detectCategories(
  teacher: Teacher,
  images: readonly GoldImage[],
  { text, spans, first: category }: CategoryPrompt,
  categories: readonly string[],
  config: EvaluateConfig,
  first: number,
): Promise<Detection[]> {
  const queries = images.map(({ picture }) => ({ picture, text, phrases: spans }))
  const found = await teacher.detect(queries, config)
  return found.flatMap((boxes, index) =>
    boxes.flatMap((box) => {
      const name = categories[category + box.phrase]
      if (!isMeant(box, { text: name, head: name.toLowerCase().split(' ').at(-1) ?? '' })) return []
      const [x1, y1, x2, y2] = unscale(box.xyxy, images[index].picture)
      const bbox = [x1, y1, x2 - x1, y2 - y1] as const
      return [{ image: first + index, category: category + box.phrase, bbox, score: box.score }]
    }),
  )
}

/** Whether a box is for the phrase: a detector with a fixed list proposes every box for each. */
function isMeant({ label }: Found, phrase: Pick<Phrase, 'text' | 'head'>): boolean {
  return label === undefined || labelMatches(label, phrase)
}

/** From the decoded picture's pixels to the stored one's. */
function unscale(xyxy: Xyxy, { scale }: Picture): Xyxy {
  return xyxy.map((value) => value / scale) as unknown as Xyxy
}

async function* goldImages(
  { storage, shards, stage }: EvaluationSet,
  side: number,
): AsyncGenerator<GoldImage> {
  const columns = ['key', 'image', 'captions'] as const
  for (const shard of shards) {
    const phrases = readShard(storage, 'phrases', stage, shard)
    const grounding = readShard(storage, 'grounding', stage, shard)
    try {
      for await (const image of readShard(storage, 'images', null, shard, { columns })) {
        const phraseRow = (await phrases.next()).value
        const groundingRow = (await grounding.next()).value
        if (phraseRow?.key !== image.key || groundingRow?.key !== image.key) {
          throw new UserError(
            `${storage.url}: gold phrases and boxes of shard ${shard} do not match its images.`,
          )
        }
        const { regions } = groundingRow
        const written = image.captions.findIndex(({ kind }) => kind !== 'categories')
        const kindOf = (caption: number) => image.captions[caption].kind
        yield {
          picture: await decodePicture(image.image.bytes, side),
          text: image.captions[written]?.text,
          phrases: phraseRow.phrases.flatMap((phrase, index) => {
            const targets = regions.filter((region) => region.phrase === index).map(({ xyxy }) => xyxy)
            const { text, head, caption, start, end } = phrase
            return caption === written ? [{ text, head, span: [start, end] as const, targets }] : []
          }),
          boxes: regions.flatMap(({ phrase, xyxy, caption }) =>
            kindOf(caption) === 'categories' ? [{ category: phraseRow.phrases[phrase].text, xyxy }] : [],
          ),
        }
      }
    } finally {
      await phrases.return()
      await grounding.return()
    }
  }
}
