import { hashJson } from '../../base/hash.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { Phrase } from '../../rows/rows.js'
import { hasFamily } from '../../shards/has-family.js'
import { joinRows } from '../../shards/join-rows.js'
import { recordedLabels } from '../../shards/recorded-labels.js'
import type { Storage } from '../../storage/storage.js'
import { boxesByPhrase } from '../../words/boxes-by-phrase.js'
import type { AskedBox, Question } from '../judge/judge.js'

/** Gold that a network is trained on, and the proposals of a teacher for its phrases where there are some. */
export interface JudgeSource {
  readonly name: string
  readonly storage: Storage
  readonly shards: readonly string[]
  readonly phrases: string
  readonly grounding: string
  readonly proposals?: string
}

/** What is known of a picture of gold, without its bytes. */
export interface JudgedGold {
  readonly shard: string
  readonly row: number
  readonly key: string
  readonly width: number
  readonly height: number
  readonly phrases: readonly GoldPhrase[]
  /** Phrases that name nothing in it. */
  readonly absent: readonly string[]
  /** Whether it is kept back from training. */
  readonly isHeldOut: boolean
}

export interface GoldPhrase extends Question {
  /** The boxes of all that it names. */
  readonly truth: readonly Xyxy[]
}

/** Proposals of a phrase that are held at most: the best. */
const mostProposals = 24

/**
 * The pictures of a source that have boxes: at most as many as `pictures`, those with the lowest hashes of their
 * keys, so that the same come whatever the order.
 */
export async function readJudgedGold(
  source: JudgeSource,
  {
    pictures,
    hold_out,
    seed,
  }: { readonly pictures: number; readonly hold_out: number; readonly seed: number },
  signal?: AbortSignal,
): Promise<JudgedGold[]> {
  const { storage, shards, phrases, grounding, proposals } = source
  const found: { readonly draw: number; readonly picture: JudgedGold }[] = []
  const thin = () => {
    found.sort((a, b) => a.draw - b.draw)
    found.length = Math.min(found.length, pictures)
  }
  for (const shard of shards) {
    const foundFor = boxesByPhrase(
      proposals === undefined ? undefined : await recordedLabels({ storage, shard }, proposals),
    )
    const isSaid = await hasFamily(storage, 'negatives', grounding, shard)
    const joined = joinRows(
      storage,
      shard,
      {
        images: { columns: ['width', 'height'] },
        phrases: { stage: phrases, columns: ['phrases'] },
        grounding: { stage: grounding, columns: ['regions'] },
        negatives: isSaid ? { stage: grounding, columns: ['negatives'] } : undefined,
        proposals: proposals === undefined ? undefined : { stage: proposals, columns: ['proposals'] },
      },
      signal && { signal },
    )
    for await (const row of joined) {
      const proposed = foundFor(row.phrases.phrases, row.proposals?.proposals ?? [])
      for (const boxes of proposed.values()) boxes.sort((a, b) => b.score - a.score)
      const truth = new Map<number, Xyxy[]>()
      for (const { phrase, xyxy } of row.grounding.regions) push(truth, phrase, xyxy)
      if (truth.size === 0) continue
      const draw = drawOf(seed, row.key)
      found.push({
        draw,
        picture: {
          ...{ shard, row: row.row, key: row.key },
          ...{ width: row.images.width, height: row.images.height },
          phrases: row.phrases.phrases.flatMap((words: Phrase, phrase): GoldPhrase[] => {
            const own = truth.get(phrase)
            if (!own) return []
            const boxes = (proposed.get(phrase) ?? []).slice(0, mostProposals)
            return [
              {
                ...{ phrase, words, truth: own },
                boxes: boxes.map(({ xyxy, score, label }): AskedBox => ({ xyxy, score, label })),
              },
            ]
          }),
          absent: row.negatives?.negatives.map(({ text }) => text) ?? [],
          // Another draw than the one by which pictures are chosen: else those that go first would be kept back.
          isHeldOut: drawOf(`held out ${seed}`, row.key) < hold_out,
        },
      })
      if (found.length > 2 * pictures) thin()
    }
  }
  thin()
  return found.map(({ picture }) => picture)
}

function push<T>(lists: Map<number, T[]>, at: number, item: T): void {
  const list = lists.get(at)
  if (list) list.push(item)
  else lists.set(at, [item])
}

/** 0 to 1, by a seed and a key. */
const drawOf = (seed: number | string, key: string): number =>
  Number.parseInt(hashJson([seed, key]).slice(0, 12), 16) / 16 ** 12
