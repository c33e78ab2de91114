import type { Detection } from '../../src/evaluate/box-table.js'
import type { DetectionTruth } from '../../src/evaluate/read-detection-truth.js'
import { fitExactly, fitPicture } from '../../src/model/fit-picture.js'
import { readModelConfig } from '../../src/model/model-folder.js'
import { type ImageSize, inputSizes, sizeStep } from '../../src/model/network/config.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import type { Teacher } from '../../src/teacher/teacher.js'
import { type Figure, mean, median } from '../report.js'
import { overlapping, type Paired, pairDetections } from './pair-detections.js'

type Image = DetectionTruth['images'][number]

/** What a picture is answered, and how long that took. */
export interface TimedAnswer {
  readonly image: Image
  /** The stored picture's size. */
  readonly picture: ImageSize
  readonly found: readonly Detection[]
  readonly seconds: number
}

/** @param boxes how many a picture may have */
export type Ask = (teacher: Teacher, image: Image, boxes: number) => Promise<TimedAnswer>

/** As the official code keeps. */
export const mostBoxes = 100

/**
 * What the fast sizes answer beside the exact ones, whose answers are given. A picture that both pad alike is
 * shown to the same graph, and is not asked again. How scores and sides change is read from the boxes that lie
 * where the exact ones do, however many are better: random weights give hundreds of boxes nearly the same
 * score, so that the best of them are soon others.
 */
export async function compareFast(
  model: string,
  exact: readonly TimedAnswer[],
  ask: Ask,
): Promise<Record<string, Figure>> {
  const teacher = await openTeacher(model, { sizes: 'fast', open_sizes: 1 })
  const paddings = await paddingsOf(model)
  const figures: Record<string, Figure> = {}
  const asked: { readonly exact: TimedAnswer; readonly fast: TimedAnswer }[] = []
  const changes: Paired[] = []
  let best = 0
  for (const one of exact) {
    const { image, found: own } = one
    const name = `${image.file}, fast`
    const padding = paddings(one.picture)
    if (padding.exact === padding.fast) {
      figures[name] = { ...unaimed, value: 0, note: `both pad to ${padding.exact}: the same answers` }
    } else {
      const fast = await ask(teacher, image, mostBoxes)
      asked.push({ exact: one, fast })
      const among = pairDetections(fast.found, own, overlapping).pairs
      best += among
      const more = await ask(teacher, image, 50 * mostBoxes)
      const change = pairDetections(more.found, own, overlapping)
      changes.push(change)
      const { pairs, side, scores } = change
      const differ =
        pairs > 0 ? `: sides within ${show(side)} px, scores ${show(median(scores))} apart in the median` : ''
      const note = `${padding.fast} for ${padding.exact}: ${among} of ${own.length} paired, with weaker ones ${pairs}${differ}; ${fast.seconds.toFixed(1)} s`
      figures[name] = { ...unaimed, value: scores.at(-1) ?? null, note }
    }
    console.error(`${name}: ${figures[name]?.note}`)
  }
  await teacher.close()
  const scores = changes.flatMap((change) => change.scores).sort((a, b) => a - b)
  const share = { value: asked.length, unit: `of ${exact.length} pictures`, goal: '', met: null }
  const pairs = changes.reduce((sum, change) => sum + change.pairs, 0)
  const of = asked.reduce((sum, { exact: { found } }) => sum + found.length, 0)
  const counted = { unit: `of ${of}`, goal: '', met: null }
  const seconds = (answers: readonly TimedAnswer[]): Figure => {
    const value = answers.length > 0 ? mean(answers.map((answer) => answer.seconds)) : null
    const note = 'mean, with opening the sessions of another size, of the pictures that are padded otherwise'
    return { value, unit: 's a picture', goal: '', met: null, note }
  }
  return {
    ...figures,
    'fast, padded otherwise': share,
    'fast, paired': { ...counted, value: best, note: 'of pictures padded otherwise' },
    'fast, paired with weaker ones': { ...counted, value: pairs },
    'fast, scores, largest': { ...unaimed, value: scores.at(-1) ?? null },
    'fast, scores, median': { ...unaimed, value: scores.length > 0 ? median(scores) : null },
    'fast, sides, largest': {
      ...unaimed,
      unit: 'pixels',
      value: scores.length > 0 ? Math.max(...changes.map(({ side }) => side)) : null,
    },
    'exact, time': seconds(asked.map((pair) => pair.exact)),
    'fast, time': seconds(asked.map((pair) => pair.fast)),
  }
}

const unaimed = { unit: 'of the score', goal: '', met: null }

const show = (value: number) => value.toExponential(1)

/** What each mode pads a picture to; what the fast one shows smaller differs from the exact one too. */
async function paddingsOf(model: string) {
  const config = await readModelConfig(model)
  const sizes = inputSizes(config)
  return (picture: ImageSize) => {
    if (!config.image_resize) throw new Error(`${model} shows every picture on one square`)
    const exact = fitExactly(picture, config.image_resize, sizeStep(config)).size
    const fast = sizes[fitPicture(picture, config.image_resize, sizes).input]
    return { exact: text(exact), fast: text(fast ?? exact) }
  }
}

const text = (size: ImageSize) => `${size.width} x ${size.height}`
