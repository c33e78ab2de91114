/** Asks a model what a benchmark asks, and gives the answers in the benchmark's own form. */

import { join } from 'node:path'
import { readData } from '../base/files/read-file.js'
import { UserError } from '../base/user-error.js'
import { zip } from '../base/zip.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { scaleBox, unscaleBox } from '../boxes/xyxy.js'
import { decodePicture, type Picture } from '../pictures/picture.js'
import type { Query, Teacher } from '../teacher/teacher.js'
import { nameInPrompt } from '../words/name-prompt.js'
import type { FileId } from './benchmark-ids.js'
import { type Detection, DetectionTable } from './box-table.js'
import { bestOfPictures, detectCategories, isMeant, promptsOf } from './category-prompts.js'
import type { EvaluateConfig } from './config.js'
import type { FlickrSentence, SentencePrediction } from './flickr30k.js'
import type { DetectionTruth } from './read-detection-truth.js'
import type { Expression } from './refer.js'
import type { SacoTruth } from './saco.js'

export interface BenchmarkRun {
  readonly teacher: Teacher
  /** The folder of the pictures. */
  readonly images: string
  readonly config: Pick<EvaluateConfig, 'names_a_prompt' | 'floor' | 'nms' | 'max_boxes'>
  /** Told how many pictures, sentences or expressions are done. */
  readonly onProgress?: (done: number, of: number) => void
  readonly signal?: AbortSignal
}

/** Pictures held in memory at once. */
const windowImages = 16

/**
 * Detections of all categories of a benchmark, asked for in as many prompts as the vocabulary needs.
 *
 * @returns of places in the lists of pictures and categories
 * @param maxPerPrompt boxes of a picture that one prompt may give, the best: GLIP takes 300 for LVIS, 100 for
 * COCO
 */
export async function detectBenchmark(
  { images, categories }: Pick<DetectionTruth, 'images' | 'categories'>,
  run: BenchmarkRun,
  maxPerPrompt: number,
): Promise<DetectionTable> {
  const { teacher, config, signal } = run
  const names = categories.map(({ id, name }) => nameInPrompt(nameOf(id, name)))
  const prompts = promptsOf(names, config.names_a_prompt, teacher)
  const options = { ...config, boxes: maxPerPrompt }
  const detections = new DetectionTable()
  for (let start = 0; start < images.length; start += windowImages) {
    const window = images.slice(start, start + windowImages)
    const pictures = await Promise.all(
      window.map((image) => open(pathOf(run.images, image.file, image.id), teacher)),
    )
    for (const prompt of prompts) {
      signal?.throwIfAborted()
      const found = await detectCategories(teacher, pictures, prompt, names, options)
      for (const { image, category, bbox, score } of bestOfPictures(found, maxPerPrompt))
        detections.push({ image: start + image, category, bbox, score })
    }
    run.onProgress?.(Math.min(images.length, start + windowImages), images.length)
  }
  return detections
}

/** Boxes for every phrase of every sentence, however weak; a phrase without any is given one of no size. */
export async function groundSentences(
  sentences: readonly FlickrSentence[],
  run: BenchmarkRun,
): Promise<SentencePrediction[]> {
  const items = sentences.map(({ image, text, phrases }) => ({
    file: `${image}.jpg`,
    text,
    spans: phrases.map(({ start, end }) => [start, end] as const),
    phrases,
  }))
  // A phrase's best box counts however weak it is.
  const found = await groundTexts(items, run, 0)
  return zip(sentences, found).map(([{ image, sentence }, answer]) => ({
    image,
    sentence,
    boxes: answer.map((boxes) =>
      boxes.length > 0 ? boxes.map(({ xyxy }) => xyxy) : [[0, 0, 0, 0] as const],
    ),
  }))
}

/** The best box of every expression, the whole of which is the phrase. */
export async function groundExpressions(
  expressions: readonly Expression[],
  run: BenchmarkRun,
): Promise<Map<string, Xyxy>> {
  const items = expressions.map(({ id, file, text }) => ({
    file: fileOf(file, `expression ${id}`),
    text,
    spans: [[0, [...text].length] as const],
  }))
  const found = await groundTexts(items, run, 0)
  return new Map(
    zip(expressions, found).flatMap(([{ id }, [boxes = []]]) =>
      boxes.slice(0, 1).map(({ xyxy }) => [id, xyxy]),
    ),
  )
}

/** Boxes of each pair of SA-Co, the whole of whose phrase is asked for, in the units of its truth. */
export async function detectPairs(
  { images, pairs, isNormalised }: SacoTruth,
  run: BenchmarkRun,
): Promise<Detection[]> {
  // Pairs of one picture follow each other, so that it is decoded once.
  const asked = pairs
    .map(({ file, ...pair }) => ({ ...pair, file: fileOf(file, `pair ${images[pair.place]?.id}`) }))
    .sort((a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)))
  const items = asked.map(({ file, text }) => ({ file, text, spans: [[0, [...text].length] as const] }))
  const sizeless = asked.find(({ width, height }) => isNormalised && !(width && height))
  if (sizeless)
    throw new UserError(
      `The truth gives no width and height of pair ${images[sizeless.place]?.id}, by which boxes become shares.`,
    )
  const found = await groundTexts(items, run, run.config.floor)
  return zip(asked, found).flatMap(([{ place, width = 1, height = 1 }, [boxes = []]]) =>
    boxes.map(({ xyxy, score }) => {
      const [x1, y1, x2, y2] = isNormalised ? scaleBox(xyxy, 1 / width, 1 / height) : xyxy
      return { image: place, category: 0, bbox: [x1, y1, x2 - x1, y2 - y1] as const, score }
    }),
  )
}

interface Item {
  readonly file: string
  readonly text: string
  readonly spans: readonly (readonly [number, number])[]
}

interface ScoredBox {
  readonly xyxy: Xyxy
  readonly score: number
}

/** For each text and each of its spans the boxes, best first, in pixels of the stored picture. */
async function groundTexts(
  items: readonly Item[],
  { teacher, images, config, onProgress, signal }: BenchmarkRun,
  floor: number,
): Promise<ScoredBox[][][]> {
  const answers: ScoredBox[][][] = []
  const isFor = isMeant(teacher)
  // Texts of one picture follow each other: it is decoded once.
  let last: { readonly file: string; readonly picture: Promise<Picture> } | undefined
  for (let start = 0; start < items.length; start += windowImages) {
    signal?.throwIfAborted()
    const window = items.slice(start, start + windowImages)
    const queries: Query[] = []
    for (const { file, text, spans } of window) {
      if (last?.file !== file) last = { file, picture: open(join(images, file), teacher) }
      queries.push({ picture: await last.picture, text, phrases: spans })
    }
    const found = await teacher.detect(queries, { ...config, floor })
    for (const [{ picture, text, phrases }, boxes] of zip(queries, found)) {
      const points = [...text]
      answers.push(
        phrases.map((span, phrase) => {
          const words = points.slice(...span).join('')
          const named = { text: words, head: words.toLowerCase().split(' ').at(-1) ?? '' }
          return boxes
            .filter((box) => box.phrase === phrase && isFor(box, named))
            .map(({ xyxy, score }) => ({ xyxy: unscaleBox(xyxy, picture.scale), score }))
        }),
      )
    }
    onProgress?.(answers.length, items.length)
  }
  return answers
}

/** The file of a picture, which is wanted only where the picture is opened: scoring does without. */
function fileOf(file: string | undefined, of: string): string {
  if (file !== undefined) return file
  throw new UserError(`The truth names no picture of ${of}: expected file_name or coco_url.`)
}

/** The name of a category, which scoring does without as well. */
function nameOf(id: FileId, name: string | undefined): string {
  if (name !== undefined) return name
  throw new UserError(`The truth does not name its category ${id}: expected a text as its name.`)
}

const pathOf = (images: string, file: string | undefined, id: FileId) =>
  join(images, fileOf(file, `image ${id}`))

async function open(path: string, teacher: Pick<Teacher, 'pictureSide'>): Promise<Picture> {
  const bytes = await readData(path)
  return decodePicture(bytes, teacher.pictureSide).catch((error: unknown) => {
    throw new UserError(`${path} is not a picture: ${(error as Error).message}`)
  })
}
