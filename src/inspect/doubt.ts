import { layerBoxes } from './index/index-part.js'
import { type Inspected, type Layer, placeOf } from './index/layer.js'
import type { RowGroups, StoredRow } from './row-groups.js'
import type { Opinions, VerdictReader } from './verdict-reader.js'

/** Rows that are read together. */
const groupRows = 500

interface Scan {
  readonly doubts: Float32Array
  /** Pictures looked at by now, from the first on. */
  done: number
  finished: Promise<void>
}

/**
 * How doubtful pictures are, 0 to 1: the largest of their phrases' (`phraseDoubts`). Looks through the dataset in the
 * background once it is asked.
 */
export class Doubts {
  #scan: { readonly name: string; readonly scan: Scan } | undefined
  #isClosed = false

  constructor(
    private readonly dataset: Pick<Inspected, 'shards' | 'pictures'>,
    private readonly read: { readonly groups: RowGroups; readonly verdicts: VerdictReader },
  ) {}

  /**
   * The places of pictures, the most doubtful first, equal ones in their order: of those that were looked at within
   * `waitMs`.
   */
  async order(
    layer: Layer,
    threshold: number,
    waitMs: number,
  ): Promise<{ readonly places: readonly number[]; readonly isWhole: boolean }> {
    const scan = this.#scanOf(layer, threshold)
    let timer: NodeJS.Timeout | undefined
    const wait = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs)
    })
    await Promise.race([scan.finished, wait])
    clearTimeout(timer)
    const { doubts, done } = scan
    const places = Array.from({ length: done }, (_, place) => place)
    places.sort((a, b) => (doubts[b] as number) - (doubts[a] as number) || a - b)
    return { places, isWhole: done === this.dataset.pictures }
  }

  close(): void {
    this.#isClosed = true
  }

  #scanOf(layer: Layer, threshold: number): Scan {
    const name = `${layer.name} ${threshold}`
    if (this.#scan?.name === name) return this.#scan.scan
    const scan: Scan = {
      doubts: new Float32Array(this.dataset.pictures),
      done: 0,
      finished: Promise.resolve(),
    }
    this.#scan = { name, scan }
    const isWanted = () => !this.#isClosed && this.#scan?.scan === scan
    scan.finished = this.#look(layer, threshold, scan, isWanted)
    // Who waits is told; nobody may wait any more.
    scan.finished.catch(() => {
      if (this.#scan?.scan === scan) this.#scan = undefined
    })
    return scan
  }

  async #look(layer: Layer, threshold: number, scan: Scan, isWanted: () => boolean): Promise<void> {
    while (scan.done < this.dataset.pictures && isWanted()) {
      const { shard, row: start } = placeOf(this.dataset.shards, scan.done)
      const end = Math.min(start - (start % groupRows) + groupRows, shard.rows)
      const opinions = await this.read.verdicts.read(layer, shard.name, start, end)
      for (let row = start; row < end; row++) {
        const stored = await this.read.groups.row(layer, shard, row)
        const known = opinions[row - start] ?? { verdicts: [], disagreement: [] }
        if (stored)
          scan.doubts[shard.start + row] = Math.max(0, ...phraseDoubts(layer, threshold, stored, known))
      }
      scan.done = shard.start + end
    }
  }
}

/**
 * How doubtful each phrase of a picture is, 0 to 1: how far its teachers disagree where several were asked; else, where
 * machines have judged its boxes, how near one of their probabilities is to a half, 1 - |2p - 1|; else how near the
 * score of one of its boxes is to the threshold.
 */
export function phraseDoubts(
  layer: Layer,
  threshold: number,
  row: StoredRow,
  { verdicts, disagreement }: Opinions,
): number[] {
  const boxes = layerBoxes(layer, row)
  const told = new Map(disagreement.map(({ phrase, value }) => [phrase, value]))
  const judged = new Map<number, number>()
  for (const { phrase, probability, person } of verdicts)
    if (!person) judged.set(phrase, Math.max(judged.get(phrase) ?? 0, 1 - Math.abs(2 * probability - 1)))
  const near = new Map<number, number>()
  const widest = Math.max(threshold, 1 - threshold)
  for (const { phrase, score } of layer.thresholdRule === null ? [] : boxes)
    near.set(phrase, Math.max(near.get(phrase) ?? 0, 1 - Math.abs(score - threshold) / widest))
  return row.phrases.map((_, at) => told.get(at) ?? judged.get(at) ?? near.get(at) ?? 0)
}
