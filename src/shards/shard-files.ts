import type { Families, Family } from '../rows/rows.js'
import type { ShardPlace } from './shard-place.js'
import { type ShardFile, type WrittenShard, writeShard } from './write-shard.js'

/**
 * Writes a family of the shard that a task makes, as `writeShard` does. It is seen from the commit on.
 *
 * @param onFailure is told at once where it cannot be written, while more rows are being made
 */
export type WriteFamily = <F extends Family>(
  family: F,
  rows: Iterable<Families[F]> | AsyncIterable<Families[F]>,
  onFailure?: () => void,
) => Promise<ShardFile>

/** The files that a task has written, which wait aside for its commit. */
export class ShardFiles {
  readonly #written = new Map<string, WrittenShard>()
  readonly #place: ShardPlace

  constructor(place: ShardPlace) {
    this.#place = place
  }

  readonly write: WriteFamily = async (family, rows, onFailure) => {
    const { storage, stage, shard } = this.#place
    const written = await writeShard(storage, family, stage, shard, rows, onFailure)
    await this.#written.get(written.file.path)?.aside.discard()
    this.#written.set(written.file.path, written)
    return written.file
  }

  /**
   * Puts files in place.
   *
   * @param paths of what this task has written; others are left as they are
   * @param onlyMissing whether those that are there are left too
   */
  async place(paths: Iterable<string>, { onlyMissing }: { readonly onlyMissing: boolean }): Promise<void> {
    for (const path of paths) {
      const { aside } = this.#written.get(path) ?? {}
      if (aside && !(onlyMissing && (await this.#place.storage.exists(path)))) await aside.place(path)
    }
  }

  /** Removes what is aside. */
  async discard(): Promise<void> {
    for (const { aside } of this.#written.values()) await aside.discard()
    this.#written.clear()
  }
}
