import { readCommit } from '../shards/commit.js'
import { UserError } from '../user-error.js'
import type { OpenDataset } from './open-dataset.js'

/** The stage whose phrases a stage's rows point to. Throws a UserError where it is no longer there. */
export async function phrasesOf(
  dataset: OpenDataset,
  family: 'proposals' | 'grounding',
  stage: string,
): Promise<string> {
  const found = await stageOfInput(dataset, family, stage, 'phrases')
  if (found !== undefined) return found
  throw new UserError(
    `${dataset.url}: the phrases that ${family} "${stage}" was made of are no longer there: run the pipeline again.`,
  )
}

/**
 * The stage that made what a stage was made of: the one whose file its record carries the hash of. Undefined where it is
 * no longer there, or where the stage was made of no such thing, as gold.
 */
export async function stageOfInput(
  { storage, shards, stages, name, isGold }: OpenDataset,
  family: 'proposals' | 'grounding',
  stage: string,
  input: 'phrases' | 'proposals',
): Promise<string | undefined> {
  const made = stages.filter((one) => one.family === input).map((one) => one.stage)
  const candidates = isGold && input === 'phrases' ? [...made, name] : made
  for (const shard of shards) {
    const wanted = (await readCommit(storage, family, stage, shard))?.inputs[input]
    if (wanted === undefined) continue
    for (const candidate of candidates) {
      const record = await readCommit(storage, input, candidate, shard)
      if (record?.files[input]?.sha256 === wanted) return candidate
    }
  }
  return undefined
}

/** The proposals that a command was asked for, or the last ones. Throws a UserError that lists those there are. */
export function proposalsOf({ url, stages }: OpenDataset, asked: string | undefined): string {
  const known = stages.filter(({ family }) => family === 'proposals').map(({ stage }) => stage)
  const chosen = asked ?? known.at(-1)
  if (chosen !== undefined && known.includes(chosen)) return chosen
  const list = known.length > 0 ? `it has: ${known.join(', ')}` : 'it has none: run a teach stage first'
  throw new UserError(`${url} has no proposals${asked === undefined ? '' : ` "${asked}"`}; ${list}.`)
}
