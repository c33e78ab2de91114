import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseConfig } from '../base/parse-config.js'
import { stringifyJson } from '../base/parse-json.js'
import { UserError } from '../base/user-error.js'
import { writeFileAtomic } from '../base/write-file-atomic.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { detectionsJson, readDetections, refuseForeign } from '../evaluate/benchmark-ids.js'
import { cocoAp, type Detection } from '../evaluate/coco-ap.js'
import { evaluateConfig } from '../evaluate/config.js'
import {
  type FlickrSentence,
  flickrRecall,
  readFlickr30k,
  readFlickrPictures,
  type SentencePrediction,
} from '../evaluate/flickr30k.js'
import { knownOfFile } from '../evaluate/known-categories.js'
import { fixedApLimits, lvisAp, lvisLimits } from '../evaluate/lvis-ap.js'
import { meanAp, type OdinwSet, odinwBeside, odinwSets } from '../evaluate/odinw.js'
import { presenceScores } from '../evaluate/presence-scores.js'
import { type DetectionTruth, readDetectionTruth } from '../evaluate/read-detection-truth.js'
import { type Expression, readRefer, referAccuracy } from '../evaluate/refer.js'
import {
  type BenchmarkRun,
  detectBenchmark,
  detectPairs,
  groundExpressions,
  groundSentences,
} from '../evaluate/run-benchmark.js'
import { readSacoTruth, type SacoTruth, sacoScores } from '../evaluate/saco.js'
import { entryId, idNumber } from '../formats/entry-id.js'
import { readJsonList } from '../formats/read-json-list.js'
import { openTeacher } from '../teacher/open-teacher.js'
import { setOptions } from './options/set-options.js'
import { formatTable } from './terminal/format-table.js'
import { createProgress } from './terminal/progress.js'

const benchmarkKinds: readonly string[] = [
  'coco',
  'lvis',
  'lvis-fixed',
  'flickr30k',
  'refcoco',
  'odinw13',
  'odinw35',
  'saco',
]

export interface BenchmarkOptions {
  /** One path; of saco one or several files. */
  readonly truth: readonly string[]
  readonly images?: string
  readonly model?: string
  readonly predictions?: string
  readonly split?: string
  readonly by: string
  readonly out?: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** Rows of a result: a name and its numbers, 0 to 1. */
type Scores = Readonly<Record<string, Readonly<Record<string, number>>>>

/** The answers to a benchmark: from a model, or from a file of a model's answers. */
interface Answers {
  detections(truth: DetectionTruth, images: string, maxPerPrompt: number, name: string): Promise<Detection[]>
  /** @param pictures those of the split */
  sentences(
    sentences: readonly FlickrSentence[],
    pictures: readonly string[],
  ): Promise<readonly SentencePrediction[]>
  expressions(expressions: readonly Expression[]): Promise<ReadonlyMap<string, Xyxy>>
  pairs(truth: SacoTruth): Promise<readonly Detection[]>
}

/** `groundmill benchmark`: a published benchmark's own numbers, from its official files. */
export async function benchmark(kind: string, options: BenchmarkOptions, signal: AbortSignal): Promise<void> {
  if (!benchmarkKinds.includes(kind))
    throw new UserError(`There is no benchmark "${kind}"; there are: ${benchmarkKinds.join(', ')}.`)
  if ((options.model === undefined) === (options.predictions === undefined))
    throw new UserError(
      'benchmark: give --model FOLDER, or --predictions FILE with what a model has answered.',
    )
  // GLIP asks for 40 of LVIS' names at once and takes 300 boxes, however many of them one name has; the other
  // vocabularies fit one prompt where the model has the room, of which it takes 100.
  const isLvis = kind.startsWith('lvis')
  const defaults = { names_a_prompt: isLvis ? 40 : 1000, max_boxes: isLvis ? 300 : 100 }
  const config = parseConfig(
    evaluateConfig.omit({ model: true, unseen_in: true, attributes: true }),
    { ...defaults, ...setOptions(options.set) },
    '--set',
  )
  const progress = createProgress()
  const teacher = options.model
    ? await openTeacher(options.model, {
        ...config,
        sizes: config.sizes ?? 'auto',
        notice: (text) => progress.finish(`  ${text}`),
      })
    : undefined
  try {
    const run = teacher && {
      teacher,
      images: options.images ?? '',
      config,
      signal,
      onProgress: (done: number, of: number) => progress.update(kind, done, of),
    }
    if (run && options.images === undefined && !kind.startsWith('odinw'))
      throw new UserError('benchmark: --images FOLDER is needed to ask a model.')
    const answers = run ? askModel(run, options.out) : readAnswers(options.predictions as string)
    const scores = await scoresOf(kind, options, answers, config.presence_score)
    progress.finish(`✓ ${kind}`)
    print(kind, scores, options)
  } finally {
    await teacher?.close()
  }
}

async function scoresOf(
  kind: string,
  options: BenchmarkOptions,
  answers: Answers,
  confidence: number,
): Promise<Scores> {
  const { truth: paths, images = '' } = options
  const [path = '', ...others] = paths
  if (others.length > 0 && kind !== 'saco')
    throw new UserError(`benchmark: ${kind} has one --truth; several are of saco, one an annotator.`)
  switch (kind) {
    case 'saco': {
      const truth = await readSacoTruth(paths)
      return { saco: { ...sacoScores(truth, await answers.pairs(truth), confidence) } }
    }
    case 'coco': {
      const truth = await readDetectionTruth(path)
      const detections = await answers.detections(truth, images, 100, 'coco')
      return { coco: { ...cocoAp(truth.boxes, detections), ...presenceOf(truth, detections, confidence) } }
    }
    case 'lvis':
    case 'lvis-fixed': {
      const truth = await readDetectionTruth(path, 'lvis')
      if (!truth.lvis)
        throw new UserError(
          `${path} is not of LVIS: its images have no neg_category_ids, or its categories no frequency.`,
        )
      const detections = await answers.detections(truth, images, 300, kind)
      const limits = kind === 'lvis' ? lvisLimits : fixedApLimits
      const ap = lvisAp({ ...truth.lvis, boxes: truth.boxes }, detections, limits)
      return { [kind]: { ...ap, ...presenceOf(truth, detections, confidence) } }
    }
    case 'flickr30k': {
      const sentences = await readFlickr30k(path, options.split ?? 'test')
      const pictures = await readFlickrPictures(path, options.split ?? 'test')
      const predictions = await answers.sentences(sentences, pictures)
      const rows = (['any', 'merged'] as const).flatMap((protocol) =>
        Object.entries(flickrRecall(sentences, predictions, protocol)).map(([type, [r1, r5, r10, all]]) => [
          `${type} (${protocol}-box)`,
          { 'recall@1': r1, 'recall@5': r5, 'recall@10': r10, 'upper bound': all },
        ]),
      )
      return Object.fromEntries(rows)
    }
    case 'refcoco': {
      const split = options.split ?? 'val'
      const expressions = await readRefer(path, options.by, split)
      return {
        [split]: { 'accuracy@0.5': referAccuracy(expressions, await answers.expressions(expressions)) },
      }
    }
    default: {
      const score = async (set: OdinwSet) => {
        const truth = await readDetectionTruth(join(path, set.annotations))
        const detections = await answers.detections(truth, join(path, set.images), 100, set.name)
        const { ap, ap50 } = cocoAp(truth.boxes, detections)
        return { ap, ap50 }
      }
      const scores: Record<string, { readonly ap: number; readonly ap50: number }> = {}
      for (const set of odinwSets(kind === 'odinw13' ? 13 : 35)) scores[set.name] = await score(set)
      const mean = { ap: meanAp(Object.values(scores)) }
      for (const set of kind === 'odinw35' ? odinwBeside : [])
        if (await isThere(set, options)) scores[`${set.name}, beside the mean`] = await score(set)
      return { ...scores, mean }
    }
  }
}

/** Whether a set that need not be there is, and answers to it where these come from a file. */
async function isThere(
  set: OdinwSet,
  { truth: [path = ''], predictions }: BenchmarkOptions,
): Promise<boolean> {
  const files = [join(path, set.annotations), ...(predictions ? [answersFile(predictions, set.name)] : [])]
  const found = await Promise.all(files.map((file) => stat(file).catch(() => undefined)))
  return found.every((entry) => entry !== undefined)
}

const answersFile = (predictions: string, name: string) =>
  predictions.endsWith('.json') ? predictions : join(predictions, `${name.replaceAll('/', '-')}.json`)

const presenceOf = (truth: DetectionTruth, detections: readonly Detection[], confidence: number) =>
  presenceScores(
    knownOfFile(truth),
    truth.categories.map((_, place) => place),
    truth.boxes,
    detections,
    confidence,
  )

/** Asks the model, and keeps what it answers in `out`. */
function askModel(run: BenchmarkRun, out: string | undefined): Answers {
  const keep = async (name: string, text: string) => {
    if (out === undefined) return
    const path = out.endsWith('.json') ? out : join(out, `${name.replaceAll('/', '-')}.json`)
    await mkdir(dirname(path), { recursive: true })
    await writeFileAtomic(path, text)
  }
  return {
    async detections(truth, images, maxPerPrompt, name) {
      const found = await detectBenchmark(truth, { ...run, images }, maxPerPrompt)
      await keep(name, detectionsJson(found, truth))
      return found
    },
    async sentences(sentences) {
      const found = await groundSentences(sentences, run)
      const rows = found.map(({ image, sentence, boxes }) =>
        JSON.stringify({ image_id: image, sentence_id: sentence, boxes }),
      )
      await keep('flickr30k', `[${rows.join(',\n')}]\n`)
      return found
    },
    async expressions(expressions) {
      const found = await groundExpressions(expressions, run)
      const rows = [...found].map(([id, box]) => stringifyJson({ sent_id: idNumber(id), bbox: box }))
      await keep('refcoco', `[${rows.join(',\n')}]\n`)
      return found
    },
    async pairs(truth) {
      const found = await detectPairs(truth, run)
      await keep('saco', detectionsJson(found, truth))
      return found
    },
  }
}

/**
 * Reads what a model has answered: COCO's results, MDETR's boxes of sentences, or x1 y1 x2 y2 by `sent_id`.
 */
function readAnswers(predictions: string): Answers {
  return {
    detections: (truth, _images, _maxPerPrompt, name) =>
      readDetections(answersFile(predictions, name), truth),
    async sentences(_sentences, pictures) {
      const keys = ['image_id', 'sentence_id', 'boxes'] as const
      const rows = await rowsOf<{ image_id: string | number; sentence_id: number; boxes: Xyxy[][] }>(
        predictions,
        keys,
      )
      const known = new Set(pictures)
      const foreign = rows.map(({ image_id }) => String(image_id)).filter((id) => !known.has(id))
      refuseForeign(predictions, 'pictures', foreign, 'the split')
      return rows.map(({ image_id, sentence_id, boxes }) => ({
        image: String(image_id),
        sentence: Number(sentence_id),
        boxes,
      }))
    },
    async expressions(expressions) {
      const rows = await rowsOf<{ sent_id: unknown; bbox: Xyxy }>(predictions, ['sent_id', 'bbox'])
      const known = new Set(expressions.map(({ id }) => id))
      const found = rows.map(({ sent_id, bbox }) => [entryId(sent_id) ?? String(sent_id), bbox] as const)
      const foreign = found.map(([id]) => id).filter((id) => !known.has(id))
      refuseForeign(predictions, 'expressions', foreign, 'the split')
      return new Map(found)
    },
    pairs: (truth) => readDetections(predictions, truth, 'pairs'),
  }
}

/** The objects of a list in a JSON file; each must have the keys. */
async function rowsOf<T extends object>(path: string, keys: readonly (keyof T & string)[]): Promise<T[]> {
  const expected = `a list of objects with ${keys.join(', ')}`
  const rows: T[] = []
  for await (const value of readJsonList(path, expected)) {
    const row = value as T | null
    if (keys.some((key) => row?.[key] === undefined))
      throw new UserError(`${path}: [${rows.length}]: expected ${expected}.`)
    rows.push(row as T)
  }
  return rows
}

function print(kind: string, scores: Scores, { json, truth, model, predictions }: BenchmarkOptions): void {
  if (json) {
    const named = kind === 'saco' ? truth : truth[0]
    process.stdout.write(
      `${JSON.stringify({ benchmark: kind, truth: named, model: model ?? predictions, scores })}\n`,
    )
    return
  }
  const percent = (value: number | undefined) =>
    value === undefined ? '' : value === -1 ? '-' : (100 * value).toFixed(1)
  const rows = Object.entries(scores)
  const [first] = rows
  if (!first) throw new Error(`${kind} gave no scores`)
  const [, numbers] = first
  if (rows.length === 1) {
    process.stdout.write(
      `${formatTable(
        ['score', 'percent'],
        Object.entries(numbers).map(([name, value]) => [name, percent(value)]),
      )}\n`,
    )
    return
  }
  const columns = Object.keys(numbers)
  const table = rows.map(([name, values]) => [name, ...columns.map((column) => percent(values[column]))])
  process.stdout.write(`${formatTable(['', ...columns], table)}\n`)
}
