import { LruCache } from '../base/lru-cache.js'
import type { PhraseDisagreement, Verdict } from '../rows/rows.js'
import { readCommit } from '../shards/commit.js'
import type { ShardRows } from '../shards/shard-rows.js'
import type { Inspected, Layer } from './index/layer.js'

/** Of a picture no more are shown. */
const mostVerdicts = 500
const mostShards = 2000

/** What is known of phrases and boxes beside the boxes themselves. */
export interface Opinions {
  readonly verdicts: readonly Verdict[]
  readonly disagreement: readonly PhraseDisagreement[]
}

/** Reads what judges say of a layer's phrases, and how far its teachers disagree. */
export class VerdictReader {
  readonly #stages = new LruCache<string, readonly string[]>({ maxSize: mostShards })

  constructor(
    private readonly dataset: Pick<Inspected, 'storage' | 'funnel'>,
    private readonly rows: ShardRows,
  ) {}

  /** Of rows of a shard, each row's; nothing where the shard has none, or is older. */
  async read(layer: Layer, shard: string, start: number, end: number): Promise<readonly Opinions[]> {
    const range = { start, end }
    const disagreement =
      layer.kind === 'proposals' || layer.kind === 'phrases' || layer.kind === 'pictures'
        ? []
        : await this.rows
            .read('grounding', layer.name, shard, { ...range, columns: ['disagreement'] })
            // Shards of older versions have no such column, and of some there is no grounding yet.
            .catch(() => [])
    const verdicts = await Promise.all(
      (await this.#stagesOf(layer, shard)).map((stage) =>
        this.rows.read('verdicts', stage, shard, { ...range, columns: ['verdicts'] }).catch(() => []),
      ),
    )
    return Array.from({ length: end - start }, (_, row) => ({
      verdicts: verdicts.flatMap((own) => own[row]?.verdicts ?? []).slice(0, mostVerdicts),
      disagreement: disagreement[row]?.disagreement ?? [],
    }))
  }

  /** The stages that judge the phrases of a layer in a shard: their verdicts name these by their places. */
  #stagesOf({ phrases }: Layer, shard: string): Promise<readonly string[]> {
    return this.#stages.load(`${phrases} ${shard}`, async () => {
      const found: string[] = []
      for (const { stage, family } of this.dataset.funnel) {
        if (family !== 'verdicts') continue
        const record = await readCommit(this.dataset.storage, 'verdicts', stage, shard).catch(() => undefined)
        if (record?.config?.phrases === phrases) found.push(stage)
      }
      return found
    })
  }
}
