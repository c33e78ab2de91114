import type { Dataset, StageContext, StageOf, StageOutput } from '../../src/pipeline/stages/stage-context.js'
import type { Storage } from '../../src/storage/storage.js'
import { putShard } from './put-shard.js'

/** What a stage is run with, behind these outputs, and what it says. */
export function stageContext(
  run: Storage | undefined,
  outputs: readonly StageOutput[],
  changes: Partial<StageContext> = {},
) {
  const said = { notices: [] as string[], warnings: [] as string[], progress: [] as unknown[][] }
  const context: StageContext = {
    ...{ run, models: 'models/', signal: undefined, others: undefined, retryFailed: undefined, drop: false },
    ...{ hostLimiter: undefined, replace: 'none', trainStart: () => {} },
    outputs: new Map(outputs.map((output) => [output.name, output])),
    progress: (...of) => void said.progress.push(of),
    notice: (text) => void said.notices.push(text),
    warn: (text) => void said.warnings.push(text),
    ...changes,
  }
  return { context, said }
}

/** A stage of a pipeline with what a user wrote of it, read by its kind. */
export function stageAs<Config>(
  kind: { readonly name: string; readonly schema: { parse(value: unknown): Config } },
  name: string,
  needs: readonly string[],
  config: object = {},
): StageOf<Config> {
  return { name, uses: kind.name, needs, with: kind.schema.parse(config) }
}

/** Writes a family of a dataset, a row for each shard that says which. */
export async function putRows(
  { storage, shards }: Dataset,
  family: 'phrases' | 'grounding' | 'negatives' | 'images',
  stage: string,
  text = 'a dog',
): Promise<void> {
  for (const shard of shards) {
    const key = `${shard}0000`
    const phrase = { caption: 0, text, start: 0, end: text.length, head: 'dog' }
    if (family === 'phrases') await putShard(storage, 'phrases', stage, shard, [{ key, phrases: [phrase] }])
    else if (family === 'grounding') await putShard(storage, family, stage, shard, [{ key, regions: [] }])
    else if (family === 'negatives')
      await putShard(storage, family, stage, shard, [
        { key, negatives: [], exhaustive: text === 'a dog', partial: [], teacher: null },
      ])
    else
      await putShard(storage, 'images', null, shard, [
        {
          ...{ key, image: { bytes: Buffer.from(text), path: null }, width: 8, height: 8 },
          ...{ captions: [{ text, kind: 'web' as const }], url: null, sha256: 'a', phash: '0'.repeat(16) },
          ...{ license: null, meta: null },
        },
      ])
  }
}
