import { z } from 'zod'
import { hashJson } from '../../base/hash.js'
import { LruCache } from '../../base/lru-cache.js'
import { nameList } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { clipBox, type Xyxy } from '../../boxes/xyxy.js'
import { reviewsOf } from '../../review/effective-reviews.js'
import { readReviews, segmentsOf } from '../../review/read-reviews.js'
import type { ReviewEntry } from '../../review/review-entry.js'
import { listReviews } from '../../review/review-files.js'
import type { Phrase, Verdict, VerdictKind } from '../../rows/rows.js'
import { stageName } from '../../rows/stage-name.js'
import type { Storage } from '../../storage/storage.js'
import type { AskedPicture, Judged, Unanswered } from '../judge/judge.js'
import { judgeKind } from '../judge/judge-kind.js'

/** What people have said in a review, of the boxes that they were shown and of others that they have drawn. */
export const people = judgeKind({
  name: 'people',
  schema: z
    .strictObject({
      judge: z.literal('people'),
      review: stageName.describe(
        'the review whose verdicts are taken: `groundmill inspect --review NAME` makes one',
      ),
    })
    .describe('what people have said in a review of this dataset; no model is asked'),
  model: null,
  needsBoxes: false,
  notHashed: [],
  check: async () => {},
  async inputs({ review }, { storage, shard }) {
    const { readShard } = await import('../../shards/read-shard.js')
    const said = await saidIn(storage, review)
    const own: (readonly ReviewEntry[])[] = []
    for await (const { key } of readShard(storage, 'images', null, shard, { columns: ['key'] })) {
      const entries = said.get(key)
      if (entries) own.push(entries)
    }
    return { review: hashJson(own) }
  },
  async open({ review }, { storage }) {
    const said = await saidIn(storage, review)
    if (said.size === 0) {
      const known = await listReviews(storage)
      const list = known.length > 0 ? `it has: ${nameList(known)}` : 'it has none yet'
      throw new UserError(
        `review "${review}": nobody has said anything in it; of the reviews of ${storage.url}, ${list}.`,
      )
    }
    return {
      name: review,
      parallel: 1,
      judge: async (picture) => verdictsOf(picture, said.get(picture.key) ?? []),
      close: async () => {},
    }
  },
})

/** What holds of each picture, by its key. */
type Said = ReadonlyMap<string, readonly ReviewEntry[]>

/** Reviews as they were read last: every shard asks for one again. */
const reviews = new LruCache<string, Said>({ maxSize: 3 })

/** @throws UserError where a log is damaged */
async function saidIn(storage: Storage, name: string): Promise<Said> {
  const files = (await segmentsOf(storage, name)).map((one) => `${one.name} ${one.size} ${one.modified}`)
  return reviews.load([storage.url, ...files].join('\n'), async () => {
    const said = new Map<string, ReviewEntry[]>()
    for (const entry of reviewsOf(await readReviews(storage, name))) {
      if (entry.action === 'done') continue
      const own = said.get(entry.key)
      if (own) own.push(entry)
      else said.set(entry.key, [entry])
    }
    return said
  })
}

/** Entries as verdicts, in the order of the phrases, those of boxes first. */
function verdictsOf(
  { width, height, phrases, questions }: AskedPicture,
  entries: readonly ReviewEntry[],
): Judged {
  const placeOf = new Map(phrases.map((phrase, at) => [spanOf(phrase), at]))
  const verdicts: Verdict[] = []
  const unanswered: Unanswered[] = []
  for (const entry of entries) {
    const phrase = entry.phrase ? placeOf.get(spanOf(entry.phrase)) : undefined
    const verdict = phrase === undefined ? noPhrase(entry) : verdictOf(entry, phrase, { width, height })
    if ('verdict' in verdict) verdicts.push(verdict)
    else unanswered.push(verdict)
  }
  const said = new Set(verdicts.map(({ phrase, xyxy }) => `${phrase} ${xyxy}`))
  const silent = questions
    .flatMap(({ phrase, boxes }) => boxes.map(({ xyxy }) => `${phrase} ${xyxy}`))
    .filter((box) => !said.has(box)).length
  if (silent > 0)
    unanswered.push({ boxes: silent, reason: 'not_reviewed', detail: 'nobody has said anything of them' })
  verdicts.sort((a, b) => a.phrase - b.phrase || Number(a.xyxy === null) - Number(b.xyxy === null))
  return { verdicts, unanswered }
}

const spanOf = ({ caption, start, end }: Pick<Phrase, 'caption' | 'start' | 'end'>) =>
  `${caption} ${start} ${end}`

const noPhrase = ({ action, reviewer, phrase }: ReviewEntry): Unanswered => ({
  boxes: 0,
  reason: 'no_phrase',
  detail: `${action} of ${reviewer}: no phrase is ${JSON.stringify(phrase?.text.slice(0, 100))} at its place any more`,
})

/** How sure a person is that the box is right, or that the phrase has all its boxes. */
const sure: Readonly<Record<VerdictKind, number>> = {
  ...{ accept: 1, add: 1, complete: 1 },
  ...{ reject: 0, redraw: 0, incomplete: 0, unseen: 0 },
}

function verdictOf(
  { action, reviewer, at, xyxy, redrawn, words }: ReviewEntry,
  phrase: number,
  picture: { readonly width: number; readonly height: number },
): Verdict | Unanswered {
  const inside = (box: Xyxy | null) => (box ? clipBox(box, picture) : null)
  const [shown, other] = [inside(xyxy), inside(redrawn)]
  if (shown === undefined || other === undefined)
    return {
      boxes: 0,
      reason: 'outside',
      detail: `${action} of ${reviewer}: the box lies outside of the picture`,
    }
  // Other words for a box say that it is right for these.
  const verdict = (action === 'relabel' ? 'accept' : action) as VerdictKind
  return {
    ...{ phrase, xyxy: shown, verdict, probability: sure[verdict], redrawn: other },
    ...{ start: words?.start ?? null, end: words?.end ?? null },
    ...{ judge: reviewer, person: true, reason: null, at },
  }
}
