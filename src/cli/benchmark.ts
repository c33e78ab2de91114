import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { parseConfig } from '../base/files/parse-config.js'
import { unreadable } from '../base/files/read-file.js'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import { stringifyJson } from '../base/parse-json.js'
import { UserError } from '../base/user-error.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { detectionsJson, readDetections } from '../evaluate/benchmark-ids.js'
import type { Detection, DetectionTable } from '../evaluate/box-table.js'
import { cocoAp } from '../evaluate/coco-ap.js'
import { toldScores } from '../evaluate/compare/told-scores.js'
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
import { readExpressionAnswers, readSentenceAnswers } from '../evaluate/phrase-answers.js'
import { presenceScores } from '../evaluate/presence-scores.js'
import { type DetectionTruth, type Protocol, readDetectionTruth } from '../evaluate/read-detection-truth.js'
import { type Expression, readRefer, referAccuracy } from '../evaluate/refer.js'
import {
  type BenchmarkRun,
  detectBenchmark,
  detectPairs,
  groundExpressions,
  groundSentences,
} from '../evaluate/run-benchmark.js'
import { readSacoTruth, type SacoTruth, sacoScores } from '../evaluate/saco.js'
import { idNumber } from '../formats/entry-id.js'
import { openTeacher } from '../teacher/open-teacher.js'
import { setOptions } from './options/set-options.js'
import { formatTable } from './terminal/format-table.js'
import { print, printJson } from './terminal/print.js'
import { percentScore, scoreTable } from './terminal/print-scores.js'
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
  detections(
    truth: DetectionTruth,
    images: string,
    maxPerPrompt: number,
    name: string,
  ): Promise<DetectionTable>
  /** @param pictures those of the split */
  sentences(
    sentences: readonly FlickrSentence[],
    pictures: readonly string[],
  ): Promise<readonly SentencePrediction[]>
  expressions(expressions: readonly Expression[]): Promise<ReadonlyMap<string, Xyxy>>
  pairs(truth: SacoTruth): Promise<Iterable<Detection>>
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
  progress.update(kind, 0, 0)
  const teacher = options.model
    ? await openTeacher(options.model, {
        ...config,
        sizes: config.sizes ?? 'auto',
        notice: (text) => progress.note(`  ${text}`),
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
    const notice = (text: string) => progress.note(`  ${text}`)
    const answers = run ? askModel(run, options.out) : readAnswers(options.predictions as string, notice)
    const scores = await scoresOf(kind, options, answers, config.presence_score, notice)
    progress.finish(`✓ ${kind}`)
    printScores(kind, scores, options)
  } finally {
    await teacher?.close()
  }
}

async function scoresOf(
  kind: string,
  options: BenchmarkOptions,
  answers: Answers,
  confidence: number,
  notice: (text: string) => void,
): Promise<Scores> {
  const { truth: paths, images = '' } = options
  const [path = '', ...others] = paths
  if (others.length > 0 && kind !== 'saco')
    throw new UserError(`benchmark: ${kind} has one --truth; several are of saco, one an annotator.`)
  const readTruth = async (file: string, protocol?: Protocol) => {
    const truth = await readDetectionTruth(file, protocol)
    if (truth.unlisted > 0)
      notice(
        `${file}: ${truth.unlisted} annotations are of pictures or categories that it does not list: they are left out, as the official program leaves them out.`,
      )
    return truth
  }
  switch (kind) {
    case 'saco': {
      const truth = await readSacoTruth(paths)
      return { saco: { ...sacoScores(truth, await answers.pairs(truth), confidence) } }
    }
    case 'coco': {
      const truth = await readTruth(path)
      const detections = await answers.detections(truth, images, 100, 'coco')
      return { coco: { ...cocoAp(truth.boxes, detections), ...presenceOf(truth, detections, confidence) } }
    }
    case 'lvis':
    case 'lvis-fixed': {
      const truth = await readTruth(path, 'lvis')
      const { lvis, notLvis } = truth
      if (!lvis) throw new UserError(`${path} is not of LVIS: ${notLvis}.`)
      const detections = await answers.detections(truth, images, 300, kind)
      const limits = kind === 'lvis' ? lvisLimits : fixedApLimits
      const ap = lvisAp({ ...lvis, boxes: truth.boxes }, detections, limits)
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
        const truth = await readTruth(join(path, set.annotations))
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
  const answers = predictions ? [await answersFile(predictions, set.name)] : []
  const files = [join(path, set.annotations), ...answers]
  const found = await Promise.all(files.map((file) => stat(file).catch(() => undefined)))
  return found.every((entry) => entry !== undefined)
}

/** The answers to a set: a file, or a file of its name in a folder. */
async function answersFile(predictions: string, name: string): Promise<string> {
  const found = await stat(predictions).catch(unreadable(predictions))
  return found.isDirectory() ? join(predictions, `${name.replaceAll('/', '-')}.json`) : predictions
}

const presenceOf = (truth: DetectionTruth, detections: Iterable<Detection>, confidence: number) =>
  presenceScores(
    knownOfFile(truth),
    truth.categories.map((_, place) => place),
    truth.boxes,
    detections,
    confidence,
  )

/** Asks the model, and keeps what it answers in `out`. */
function askModel(run: BenchmarkRun, out: string | undefined): Answers {
  const keep = async (name: string, text: Iterable<string>) => {
    if (out === undefined) return
    const path = out.endsWith('.json') ? out : join(out, `${name.replaceAll('/', '-')}.json`)
    await makeFolder(dirname(path))
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
 *
 * @param notice told what a user should know of the answers
 */
function readAnswers(predictions: string, notice: (text: string) => void): Answers {
  return {
    async detections(truth, _images, _maxPerPrompt, name) {
      return readDetections(await answersFile(predictions, name), truth, 'pictures', notice)
    },
    sentences: (_sentences, pictures) => readSentenceAnswers(predictions, pictures),
    expressions: (expressions) =>
      readExpressionAnswers(
        predictions,
        expressions.map(({ id }) => id),
        notice,
      ),
    pairs: (truth) => readDetections(predictions, truth, 'pairs'),
  }
}

function printScores(
  kind: string,
  scores: Scores,
  { json, truth, model, predictions }: BenchmarkOptions,
): void {
  if (json) {
    const named = kind === 'saco' ? truth : truth[0]
    printJson({ benchmark: kind, truth: named, model: model ?? predictions, scores: toldScores(scores) })
    return
  }
  const rows = Object.entries(scores)
  const [first] = rows
  if (!first) throw new Error(`${kind} gave no scores`)
  const [, numbers] = first
  if (rows.length === 1) {
    print(scoreTable(numbers))
    return
  }
  const columns = Object.keys(numbers)
  const table = rows.map(([name, values]) => [
    name,
    ...columns.map((column) => (values[column] === undefined ? '' : percentScore(values[column]))),
  ])
  print(formatTable(['', ...columns], table))
}
