import type { Xyxy } from '../boxes/xyxy.js'
import type { Region, Verdict } from '../rows/rows.js'
import { joinRows } from '../shards/join-rows.js'
import { recordedLabels } from '../shards/recorded-labels.js'
import type { Storage } from '../storage/storage.js'
import { boxesByPhrase } from '../words/boxes-by-phrase.js'
import type { DoubtedPicture } from './doubted-picture.js'

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
  const foundFor = boxesByPhrase(await recordedLabels({ storage, shard }, proposals))
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
        found: foundFor(all, row.proposals.proposals),
        judged: judgedBoxes(row.verdicts?.verdicts ?? []),
      },
      regions,
      teacher: row.proposals.teacher,
    }
  }
}

/** What verdicts say of boxes; a verdict on a box that is drawn anew is of the one that was there. */
function judgedBoxes(verdicts: readonly Verdict[]): DoubtedPicture['judged'] {
  const known = new Map<string, number>()
  for (const { phrase, xyxy, probability } of verdicts)
    if (xyxy) known.set(`${phrase}/${xyxy.join()}`, probability)
  return (phrase: number, xyxy: Xyxy) => known.get(`${phrase}/${xyxy.join()}`)
}
