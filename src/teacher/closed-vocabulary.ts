import { shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import type { Xyxy } from '../boxes/xyxy.js'
import type { Picture } from '../pictures/picture.js'
import { keepBest } from './keep-best.js'
import type { DetectOptions, PhraseDetection, Query } from './teacher.js'

/** A box of a detector that knows a fixed list of things. */
export interface Detection {
  readonly xyxy: Xyxy
  readonly score: number
  /** As the model's `id2label` names it. */
  readonly label: string
}

/**
 * Names of a model's classes. One that is blank names none, as the gaps in COCO's numbering.
 *
 * @throws UserError where `id2label` is missing or has no name, or is no map from numbers to names
 */
export function readLabels(
  path: string,
  config: Readonly<Record<string, unknown>>,
): ReadonlyMap<number, string> {
  const labels = config.id2label
  if (typeof labels !== 'object' || labels === null)
    throw new UserError(`${path}/config.json has no id2label: the names of the model's classes, by number.`)
  const named = Object.entries(labels)
  const wrong = named.find(([id, name]) => !/^\d{1,9}$/.test(id) || typeof name !== 'string')
  const labelled = named.filter(([, name]) => String(name).trim() !== '')
  if (labelled.length === 0 || wrong)
    throw new UserError(
      `${path}/config.json: id2label ${wrong ? `has ${shownValue(wrong[0])}: ${shownValue(wrong[1])}` : named.length === 0 ? 'is empty' : 'has no names'}; it must give each class's name by its number.`,
    )
  return new Map(labelled.map(([id, name]) => [Number(id), name]))
}

/**
 * Detects in every picture once, whatever is asked of it, and proposes each detection, with its label, for
 * every phrase of every query that shows the picture. Which phrase a label can mean is for the filter's
 * `label` rule to say. Suppression runs within a label.
 */
export async function detectAll(
  queries: readonly Query[],
  options: DetectOptions,
  detect: (pictures: readonly Picture[]) => Promise<readonly (readonly Detection[])[]>,
): Promise<PhraseDetection[][]> {
  const pictures = [...new Set(queries.map(({ picture }) => picture))]
  const answers = await detect(pictures)
  const kept = new Map(
    pictures.map((picture, index) => [picture, suppressByLabel(answers[index] ?? [], options)]),
  )
  return queries.map(({ picture, phrases }) => {
    const detections = kept.get(picture) ?? []
    return phrases
      .flatMap((_, phrase) => detections.map((box): PhraseDetection => ({ phrase, ...box })))
      .sort((a, b) => b.score - a.score)
  })
}

function suppressByLabel(detections: readonly Detection[], options: DetectOptions): Detection[] {
  const labels = new Set(detections.map(({ label }) => label))
  return [...labels].flatMap((label) =>
    keepBest(
      detections.filter((box) => box.label === label),
      options,
    ),
  )
}
