import { LruCache } from '../base/lru-cache.js'
import { mapLimited } from '../base/map-limited.js'
import type { Family, RejectRow } from '../rows/rows.js'
import { readCommit } from '../shards/commit.js'
import type { ShardRows } from '../shards/shard-rows.js'
import type { Reject, RejectsAnswer } from './answers.js'
import type { ImageShard, Inspected } from './layer.js'

export interface RejectQuery {
  readonly stage: string
  readonly reason: string | null
  /** Found in key, address or detail. */
  readonly search: string
  /** Place among the stage's rejects from which to go on. */
  readonly from: number
}

const mostRejects = 60
/** Rows that are looked through for one answer; the next one goes on behind them. */
const mostLooked = 50_000
const readAtOnce = 1000
/** Stages whose files are remembered. */
const mostStages = 32
/** Keys of pictures that are remembered, those of a shard together. */
const mostKeys = 300_000

interface RejectFile {
  readonly shard: ImageShard
  readonly rows: number
}

/** Reads the rejects of a stage from a place on, with the place of each one's picture where it is stored. */
export class RejectReader {
  readonly #files = new LruCache<string, RejectFile[]>({ maxSize: mostStages })
  readonly #rowsOfKeys = new LruCache<string, ReadonlyMap<string, number>>({
    maxSize: mostKeys,
    sizeOf: (rows) => Math.max(1, rows.size),
  })

  constructor(
    private readonly dataset: Inspected,
    private readonly rows: ShardRows,
  ) {}

  async read({ stage, reason, search, from }: RejectQuery): Promise<RejectsAnswer> {
    const wanted = search.trim().toLowerCase()
    const fits = (reject: RejectRow) =>
      (reason === null || reject.reason === reason) &&
      (wanted === '' ||
        [reject.key, reject.url, reject.detail].some((text) => text?.toLowerCase().includes(wanted)))
    const rejects: Reject[] = []
    let [place, looked] = [0, 0]
    for (const { shard, rows } of await this.#files.load(stage, () => this.#find(stage))) {
      const fileStart = place
      place += rows
      if (place <= from) continue
      for (let start = Math.max(0, from - fileStart); start < rows; start += readAtOnce) {
        const end = Math.min(rows, start + readAtOnce)
        const read = await this.rows.read('rejects', stage, shard.name, {
          ...{ start, end },
          columns: ['key', 'url', 'reason', 'detail'],
        })
        for (const [at, reject] of read.entries()) {
          if (!fits(reject)) continue
          if (rejects.length === mostRejects) return { rejects, next: fileStart + start + at }
          rejects.push({ ...reject, picture: await this.#pictureOf(shard, reject.key) })
        }
        looked += end - start
        if (looked >= mostLooked) return { rejects, next: fileStart + end }
      }
    }
    return { rejects, next: null }
  }

  async #find(stage: string): Promise<RejectFile[]> {
    const family = this.dataset.funnel.find((one) => one.stage === stage)?.family as Family | undefined
    if (!family) return []
    const files: RejectFile[] = []
    const read = async (shard: ImageShard) => ({
      shard,
      rows: (await readCommit(this.dataset.storage, family, stage, shard.name))?.files.rejects?.rows ?? 0,
    })
    for (const file of await mapLimited(this.dataset.shards, read)) if (file.rows > 0) files.push(file)
    return files
  }

  async #pictureOf(shard: ImageShard, key: string | null): Promise<string | null> {
    if (key === null) return null
    const rows = await this.#rowsOfKeys.load(shard.name, () => this.#readKeys(shard))
    const row = rows.get(key)
    return row === undefined ? null : `${shard.name}:${row}`
  }

  async #readKeys({ name, rows }: ImageShard): Promise<ReadonlyMap<string, number>> {
    const read = await this.rows.read('images', null, name, { start: 0, end: rows, columns: ['key'] })
    return new Map(read.map(({ key }, row) => [key, row]))
  }
}
