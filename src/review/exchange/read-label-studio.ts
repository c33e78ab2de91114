import { shownName, shownValue } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { numberOf } from '../../formats/box-numbers.js'
import { readJsonElements } from '../../formats/read-json-elements.js'
import { type FindExchange, mostBoxes } from './exchange-format.js'
import { boxOfNumber, type NumberedPicture, numberOfName, phraseOfLabel } from './exported-picture.js'
import { allFound, boxesControl, foundControl } from './label-studio-config.js'
import { pixelBox, turnedOutline } from './percent-box.js'
import type { Returned, ReturnedBox, ReturnedProblem } from './returned-picture.js'
import { timeOf } from './time-of.js'

type Json = Readonly<Record<string, unknown>>

const objectOf = (value: unknown): Json | undefined =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : undefined

/** A reviewer's answer to a task. */
interface Answer {
  readonly reviewer: string | null
  readonly at: string | null
  readonly results: readonly unknown[]
}

/**
 * Tasks as Label Studio exports them, "JSON" or "JSON-MIN". Each annotator of a task is a reviewer of it; of one who
 * has answered twice the later answer counts.
 */
export async function* readLabelStudio(path: string, find: FindExchange): AsyncGenerator<Returned> {
  let isList = false
  const onArray = (key: string | null) => {
    isList ||= key === null
  }
  for await (const { key, index, value } of readJsonElements(path, { onArray, wanted: () => false })) {
    if (key !== null) break
    yield* taskOf(value, `${path} [${index}]`, find)
  }
  if (!isList) throw new UserError(`${path}: expected a list of tasks, as Label Studio exports them.`)
}

async function* taskOf(value: unknown, place: string, find: FindExchange): AsyncGenerator<Returned> {
  const problem = (reason: string, detail: string): Returned => ({ problem: { place, reason, detail } })
  const task = objectOf(value)
  if (!task) return yield problem('malformed_row', 'a task is an object')
  // Of JSON-MIN the data lie in the task itself.
  const data = objectOf(task.data) ?? task
  const { key } = data
  if (typeof key !== 'string' || key === '')
    return yield problem('malformed_row', 'the task has no `key` of a picture in its data')
  const record = await find(typeof data.exchange === 'string' ? data.exchange : undefined)
  const picture = record.pictures.get(key)
  if (!picture)
    return yield problem('unknown_picture', `${shownName(key)} is no picture of export ${record.id}`)
  const read = data === task ? answerOfMin(task) : answersOf(task)
  if (typeof read === 'string') {
    yield read === 'unfinished' || read === 'cancelled' ? { passed: read } : problem('malformed_row', read)
    return
  }
  for (const { reviewer, at, results } of read) {
    if (results.length > mostBoxes) {
      yield problem('too_many_boxes', `${key}: over ${mostBoxes} boxes`)
      continue
    }
    const boxes: ReturnedBox[] = []
    const problems: ReturnedProblem[] = []
    let isAllFound = false
    for (const result of results) {
      const found = resultOf(result, picture, record.id)
      if (found === 'all_found') isAllFound = true
      else if (typeof found === 'string')
        problems.push({ place, reason: 'not_a_box', detail: `${key}: ${found}` })
      else if (found) boxes.push(found)
    }
    for (const problem of problems) yield { problem }
    yield {
      ...{ place, exchange: record.id },
      returned: { picture, reviewer, at, captions: null, boxes, allFound: isAllFound },
    }
  }
}

/** The answers to a task, of each annotator the last one; why there is none. */
function answersOf(task: Json): readonly Answer[] | 'unfinished' | 'cancelled' | string {
  const { annotations } = task
  if (annotations === undefined || annotations === null) return 'unfinished'
  if (!Array.isArray(annotations)) return 'its `annotations` are no list'
  const given = annotations.map(objectOf)
  if (given.includes(undefined)) return 'an annotation of it is no object'
  const all = given as readonly Json[]
  const done = all.filter(({ was_cancelled }) => was_cancelled !== true)
  if (done.length === 0) return all.length > 0 ? 'cancelled' : 'unfinished'
  if (done.some(({ result }) => !Array.isArray(result))) return 'the `result` of an annotation is no list'
  const byReviewer = new Map<string | null, Answer>()
  for (const one of done) {
    const answer = {
      reviewer: nameOf(one.completed_by),
      at: timeOf(one.updated_at) ?? timeOf(one.created_at),
      results: one.result as readonly unknown[],
    }
    const before = byReviewer.get(answer.reviewer)
    if (!before || (answer.at ?? '') >= (before.at ?? '')) byReviewer.set(answer.reviewer, answer)
  }
  return [...byReviewer.values()]
}

/** JSON-MIN has of each control its values alone, without ids. */
function answerOfMin(task: Json): readonly Answer[] | 'unfinished' | string {
  if ((task.annotation_id ?? null) === null) return 'unfinished'
  const { [boxesControl]: boxes = [], [foundControl]: found } = task
  if (!Array.isArray(boxes)) return 'its `phrase` is no list of boxes'
  const choices = (objectOf(found)?.choices ?? found) as unknown
  return [
    {
      reviewer: nameOf(task.annotator),
      at: timeOf(task.updated_at) ?? timeOf(task.created_at),
      results: [
        ...boxes.map((value: unknown) => ({ type: 'rectanglelabels', value, isOfMin: true })),
        ...(choices === undefined ? [] : [{ type: 'choices', value: { choices: [choices].flat() } }]),
      ],
    },
  ]
}

/** Who has answered: an address, a name, or a number of Label Studio's. */
function nameOf(value: unknown): string | null {
  const person = objectOf(value)
  const names = person ? [person.email, person.username, person.id] : [value]
  const name = names.find((one) => (typeof one === 'string' && one.trim() !== '') || typeof one === 'number')
  if (name === undefined) return null
  return typeof name === 'number' ? `annotator-${name}` : String(name)
}

/** A box; `all_found`; undefined for what says nothing of boxes; else what it is in words. */
function resultOf(
  value: unknown,
  picture: NumberedPicture,
  exchange: string,
): ReturnedBox | string | undefined {
  const result = objectOf(value)
  const own = objectOf(result?.value)
  if (!result || !own) return `${shownValue(value)} is no result with a value`
  const { type } = result
  if (type === 'choices') return [own.choices].flat(2).includes(allFound) ? 'all_found' : undefined
  if (type === 'textarea' || type === 'relation') return undefined
  const name = numberOfName(result.id)
  const index = name?.exchange === exchange ? boxOfNumber(picture, name.number) : undefined
  const isBox = type === 'rectanglelabels' || type === 'rectangle'
  // One of ours that has become something else is no box any more, and was not removed.
  if (!isBox && index === undefined) return `${shownValue(type ?? null)} is no rectangle`
  const [x, y, width, height] = [own.x, own.y, own.width, own.height].map(
    (side) => (isBox ? numberOf(side) : undefined) ?? Number.NaN,
  )
  const upright = pixelBox(
    { x: x as number, y: y as number, width: width as number, height: height as number },
    picture,
  )
  const degrees = numberOf(own.rotation) ?? 0
  const isTurned = degrees % 360 !== 0
  const [label] = [own.rectanglelabels].flat()
  return {
    box: result.isOfMin ? null : (index ?? 'new'),
    // Label Studio turns a rectangle about its upper left corner.
    xyxy: isTurned ? turnedOutline(upright, degrees, [upright[0], upright[1]]) : upright,
    isTurned,
    words: typeof label === 'string' ? (phraseOfLabel(picture, label) ?? label) : null,
  }
}
