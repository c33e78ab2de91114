import { findFirst } from '../base/find-first.js'
import { UserError } from '../base/user-error.js'
import { readCommit } from '../shards/commit.js'
import type { Storage } from '../storage/storage.js'
import { type OpenDataset, requireGrounding } from './open-dataset.js'

/**
 * The stage whose phrases a stage's rows point to: the one whose file has the hash that the stage's record
 * names.
 */
export async function phrasesOf(
  { url, storage, shards, stages, name, isGold }: OpenDataset,
  family: 'proposals' | 'grounding',
  stage: string,
): Promise<string> {
  // The phrases of gold, thinned or whole, are written with its grounding, under one commit record.
  if (family === 'grounding' && (await hasOwnPhrases(storage, shards, stage))) return stage
  const chunked = stages.filter((entry) => entry.family === 'phrases').map((entry) => entry.stage)
  const candidates = isGold ? [...chunked, name] : chunked
  const found = await findFirst(shards, async (shard) => {
    const wanted = (await readCommit(storage, family, stage, shard))?.inputs.phrases
    if (wanted === undefined) return undefined
    for (const candidate of candidates) {
      const record = await readCommit(storage, 'phrases', candidate, shard)
      if (record?.files.phrases?.sha256 === wanted) return candidate
    }
    return undefined
  })
  if (found !== undefined) return found
  throw new UserError(
    `${url}: the phrases that ${family} "${stage}" was made of are no longer there: run the pipeline again.`,
  )
}

/** The stage whose phrases verdicts are of, as their records say; undefined where none says it. */
export const judgedPhrases = (
  storage: Storage,
  shards: readonly string[],
  verdicts: string,
): Promise<string | undefined> =>
  findFirst(shards, async (shard) => {
    const phrases = (await readCommit(storage, 'verdicts', verdicts, shard))?.config?.phrases
    return typeof phrases === 'string' ? phrases : undefined
  })

async function hasOwnPhrases(storage: Storage, shards: readonly string[], stage: string): Promise<boolean> {
  const record = await findFirst(shards, (shard) => readCommit(storage, 'grounding', stage, shard))
  return record?.files.phrases !== undefined
}

/**
 * The stage of the phrases that a grounding points to. Throws a UserError that lists the groundings there
 * are.
 */
export async function phrasesOfGrounding(dataset: OpenDataset, grounding: string): Promise<string> {
  requireGrounding(dataset, grounding)
  return phrasesOf(dataset, 'grounding', grounding)
}

/**
 * The stage that dropped pictures on the way to a grounding: the dedup stage itself where the grounding is
 * its thinned gold, else the one whose selection the phrases were made with. Undefined where none was.
 */
export async function selectionOf(
  { storage, shards, stages }: OpenDataset,
  grounding: string,
  phrases: string,
): Promise<string | undefined> {
  const selections = stages.filter(({ family }) => family === 'selection').map(({ stage }) => stage)
  if (selections.includes(grounding)) return grounding
  if (selections.length === 0) return undefined
  return findFirst(shards, async (shard) => {
    const wanted = (await readCommit(storage, 'phrases', phrases, shard))?.inputs.selection
    if (wanted === undefined) return undefined
    for (const stage of selections) {
      const record = await readCommit(storage, 'selection', stage, shard)
      if (record?.files.selection?.sha256 === wanted) return stage
    }
    return undefined
  })
}
