import type { Xyxy } from '../boxes/xyxy.js'
import type { Phrase, Proposal, Region, Verdict } from '../rows/rows.js'
import { readCommit } from '../shards/commit.js'
import { joinRows } from '../shards/join-rows.js'
import type { Storage } from '../storage/storage.js'
import { type LabelMatcher, labelMatcher } from '../words/label-matches.js'
import type { DoubtedPicture, FoundBox } from './doubted-picture.js'

/** The stages that are held against each other. */
export interface DoubtStages {
  readonly phrases: string
  readonly grounding: string
  readonly proposals: string
  readonly verdicts?: string | undefined
}

/** A picture with the rows that it is made of. */
export interface DoubtedRow {
  readonly picture: DoubtedPicture
  readonly regions: readonly Region[]
  /** Who found the boxes. */
  readonly teacher: string
}

/** The pictures of a shard. */
export async function* readDoubted(
  storage: Storage,
  shard: string,
  { phrases, grounding, proposals, verdicts }: DoubtStages,
  signal?: AbortSignal,
): AsyncGenerator<DoubtedRow> {
  const labels = (await readCommit(storage, 'proposals', proposals, shard))?.config?.labels
  const means = Array.isArray(labels) ? labelMatcher(labels as readonly string[]) : undefined
  const joined = joinRows(
    storage,
    shard,
    {
      images: { columns: ['width', 'height'] },
      phrases: { stage: phrases, columns: ['phrases'] },
      grounding: { stage: grounding, columns: ['regions'] },
      proposals: { stage: proposals, columns: ['proposals', 'teacher'] },
      verdicts: verdicts === undefined ? undefined : { stage: verdicts, columns: ['verdicts'] },
    },
    { signal },
  )
  for await (const row of joined) {
    const { width, height } = row.images
    const { regions } = row.grounding
    const all = row.phrases.phrases
    yield {
      picture: {
        ...{ key: row.key, width, height, phrases: all },
        boxes: regions.map(({ phrase, xyxy }) => ({ phrase, xyxy })),
        found: foundBoxes(all, row.proposals.proposals, means && { means, labels: labels as string[] }),
        judged: judgedBoxes(row.verdicts?.verdicts ?? []),
      },
      regions,
      teacher: row.proposals.teacher,
    }
  }
}

/**
 * Boxes by phrase. A detector with a fixed list of labels has proposed each box for every phrase: those that it
 * calls what a phrase names are found for it, and of a phrase that none of its labels can mean it says nothing.
 */
function foundBoxes(
  phrases: readonly Phrase[],
  proposals: readonly Proposal[],
  closed: { readonly means: LabelMatcher; readonly labels: readonly string[] } | undefined,
): Map<number, FoundBox[]> {
  const found = new Map<number, FoundBox[]>()
  phrases.forEach((phrase, index) => {
    if (!closed || closed.labels.some((label) => closed.means(label, phrase))) found.set(index, [])
  })
  for (const { phrase, xyxy, score, label } of proposals) {
    const words = phrases[phrase]
    if (words && (!closed || (label !== null && closed.means(label, words))))
      found.get(phrase)?.push({ xyxy, score })
  }
  return found
}

/** What verdicts say of boxes; a verdict on a box that is drawn anew is of the one that was there. */
function judgedBoxes(verdicts: readonly Verdict[]): DoubtedPicture['judged'] {
  const known = new Map<string, number>()
  for (const { phrase, xyxy, probability } of verdicts)
    if (xyxy) known.set(`${phrase}/${xyxy.join()}`, probability)
  return (phrase: number, xyxy: Xyxy) => known.get(`${phrase}/${xyxy.join()}`)
}
