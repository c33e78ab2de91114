import { dirname } from 'node:path'
import { findFirst } from '../base/find-first.js'
import { mapLimited } from '../base/map-limited.js'
import { UserError } from '../base/user-error.js'
import type { OpenDataset } from '../catalog/open-dataset.js'
import { judgedPhrases, phrasesOf, selectionOf } from '../catalog/phrases-of.js'
import { readCommit } from '../shards/commit.js'
import { openStorage } from '../storage/open-storage.js'
import type { Storage } from '../storage/storage.js'
import type { StageOutput } from './stages/stage-context.js'

/**
 * What a stage of a dataset offers, read from its commit records: the same as in a pipeline that has just run
 * it.
 *
 * @param family what of it is asked for; `images` are those of the ingest stage, which has the dataset's name
 * @throws UserError where the phrases that it was made of are no longer there
 */
export async function datasetOutput(
  dataset: OpenDataset,
  family: 'images' | 'phrases' | 'proposals' | 'grounding' | 'negatives' | 'verdicts',
  stage: string,
): Promise<StageOutput> {
  const { name, storage, shards, isGold } = dataset
  const isPresent = await mapLimited(
    shards,
    async (shard) => (await readCommit(storage, family, stage, shard)) !== undefined,
  )
  const missing = shards.filter((_, index) => !isPresent[index])
  const output = { name: stage, dataset: { name, storage, shards }, missing }
  if (family === 'negatives') return { ...output, negatives: stage }
  if (family === 'verdicts') {
    const judged = await judgedPhrases(storage, shards, stage)
    return { ...output, verdicts: stage, ...(judged !== undefined && { judged }) }
  }
  if (family === 'images' || stage === name) {
    const gold = isGold ? { phrases: name, grounding: name } : {}
    return { ...output, images: name, ...gold }
  }
  const phrases = family === 'phrases' ? stage : await phrasesOf(dataset, family, stage)
  const selection = await selectionOf(dataset, stage, phrases)
  const withPhrases = { ...output, phrases, ...(selection !== undefined && { selection }) }
  if (family === 'phrases') return withPhrases
  if (family === 'proposals') return { ...withPhrases, proposals: stage }
  return { ...withPhrases, grounding: stage, boxLoss: await isForBoxLoss(dataset, stage) }
}

/** Whether boxes of a grounding train box regression: a filter stage's records say where not. */
export async function isForBoxLoss({ storage, shards }: OpenDataset, grounding: string): Promise<boolean> {
  const record = await findFirst(shards, (shard) => readCommit(storage, 'grounding', grounding, shard))
  return record?.config?.box_loss !== false
}

/** The folder of the run that a dataset is of: the one that it lies in. */
export function runOfDataset({ url, storage }: Pick<OpenDataset, 'url' | 'storage'>): Storage {
  if (storage.isLocal) return openStorage(dirname(storage.path('.')))
  const [, run, options = ''] = /^(s3:\/\/[^/?]+(?:\/[^?]*[^/?])?)\/+[^/?]+\/*(\?.*)?$/.exec(url) ?? []
  if (run === undefined) throw new UserError(`${url} lies in no run: it is a whole bucket.`)
  return openStorage(`${run}${options}`)
}
