import { z } from 'zod'
import { hashJson } from '../../base/hash.js'
import type { OpenSource } from '../../ingest/open-source.js'
import { type IngestPlan, planIngest } from '../../ingest/plan-ingest.js'
import type { Storage } from '../../storage/storage.js'
import { runFolder } from './run-folder.js'

/** Raised where plans of older programs would be read wrongly. */
const planVersion = 4

/**
 * The plan of a source, which the processes of a run share: the first that needs it reads the source and
 * leaves the plan in the run's storage, under a hash of what the source and the configuration say.
 *
 * @throws UserError as `planIngest` does
 */
export async function storedPlan(
  run: Storage,
  source: OpenSource,
  configHash: string,
  signal?: AbortSignal,
): Promise<IngestPlan> {
  const { card, config } = source
  const { shard_size, limit } = config
  const sourceHash = await source.hash()
  const join = 'join' in config ? config.join : undefined
  const said = [planVersion, configHash, card, sourceHash, shard_size, limit, join]
  const name = `${runFolder}/plans/${hashJson(said)}.json`
  const stored = await run.read(name)
  if (stored) {
    const plan = parsePlan(stored)
    if (plan) return plan
  }
  const plan = await planIngest(source, signal, sourceHash)
  await run.write(name, JSON.stringify({ plan, hash: hashJson(plan) }))
  return plan
}

const count = z.int().nonnegative()
const planSchema = z.object({
  plan: z.looseObject({
    rows: count,
    sourceHash: z.string(),
    shards: z.array(
      z.object({
        shard: z.string(),
        mark: z.object({ at: count, line: count, file: count.optional() }),
        rows: count,
        hash: z.string(),
      }),
    ),
  }),
  /** Of the plan as JSON: a row that is counted wrong after damage would be lost without a word. */
  hash: z.string(),
})

/** Undefined where it is none, as after damage: then it is made again. */
export function parsePlan(bytes: Uint8Array): IngestPlan | undefined {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly plan: IngestPlan }
    const { data } = planSchema.safeParse(value)
    return data && hashJson(value.plan) === data.hash ? value.plan : undefined
  } catch {
    return undefined
  }
}
