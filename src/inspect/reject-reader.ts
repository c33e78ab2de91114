import { LruCache } from '../base/lru-cache.js'
import { mapLimited } from '../base/map-limited.js'
import type { Family, RejectRow } from '../rows/rows.js'
import { readCommit } from '../shards/commit.js'
import type { ShardRows } from '../shards/shard-rows.js'
import type { DroppedReader } from './dropped-reader.js'
import type { ImageShard, Inspected } from './index/layer.js'
import type { PictureKeys } from './picture-keys.js'
import type { Reject, RejectsAnswer } from './view/answers.js'

export interface RejectQuery {
  readonly stage: string
  readonly reason: string | null
  /** Found in key, address or detail. */
  readonly search: string
  /** Place among the stage's rejects from which to go on. */
  readonly from: number
}

const mostRejects = 60
/** Pictures with dropped boxes, and boxes of each: there may be thousands. */
const mostDropped = 24
const mostBoxes = 60
/** Rows that are looked through for one answer; the next one goes on behind them. */
const mostLooked = 50_000
const readAtOnce = 1000
/** Stages whose files are remembered. */
const mostStages = 32

interface RejectFile {
  readonly shard: ImageShard
  readonly rows: number
}

/** Reads the rejects of a stage from a place on, with the place of each one's picture where it is stored. */
export class RejectReader {
  readonly #files = new LruCache<string, RejectFile[]>({ maxSize: mostStages })

  constructor(
    private readonly dataset: Inspected,
    private readonly rows: ShardRows,
    private readonly keys: PictureKeys,
    private readonly dropped: DroppedReader,
  ) {}

  /** Rejects, with the boxes that a rule of a filter has dropped where they can be told. */
  async read(query: RejectQuery): Promise<RejectsAnswer> {
    const layer = this.dropped.layerOf(query.stage)
    if (!layer) return this.#read(query, mostRejects)
    const { rejects, next } = await this.#read(query, mostDropped)
    const shown: Reject[] = []
    for (const reject of rejects) {
      const found = await this.dropped.read(layer, reject.picture, reject.reason, mostBoxes)
      shown.push({ ...reject, ...found })
    }
    return { rejects: shown, next }
  }

  async #read({ stage, reason, search, from }: RejectQuery, most: number): Promise<RejectsAnswer> {
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
          if (rejects.length === most) return { rejects, next: fileStart + start + at }
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
    const row = (await this.keys.rows(shard)).get(key)
    return row === undefined ? null : `${shard.name}:${row}`
  }
}
