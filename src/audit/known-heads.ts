import { UserError } from '../base/user-error.js'
import { lemma } from '../nlp/lexicon/lemma.js'
import { joinRows } from '../shards/join-rows.js'
import type { Storage } from '../storage/storage.js'

/** A grounding of a dataset, and the stage of the phrases that it points to. */
export interface GroundingSource {
  readonly storage: Storage
  readonly shards: readonly string[]
  readonly grounding: string
  readonly phrases: string
}

/**
 * Head nouns, singular and lower case, of the phrases for which a grounding has boxes.
 *
 * @throws UserError where it has none
 */
export async function knownHeads(
  { storage, shards, grounding, phrases }: GroundingSource,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const heads = new Set<string>()
  const parts = {
    phrases: { stage: phrases, columns: ['phrases'] },
    grounding: { stage: grounding, columns: ['regions'] },
  } as const
  for (const shard of shards) {
    for await (const row of joinRows(storage, shard, parts, { signal }))
      for (const { phrase } of row.grounding.regions) {
        const head = row.phrases.phrases[phrase]?.head
        if (head) heads.add(lemma(head))
      }
  }
  if (heads.size === 0)
    throw new UserError(`${storage.url}: grounding "${grounding}" has no regions: it makes no noun known.`)
  return heads
}
