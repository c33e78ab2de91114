import { LruCache } from '../base/lru-cache.js'
import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { listSelections, readSelection, writeSelection } from '../shards/selections.js'
import { type Inspected, placeOf } from './index/layer.js'
import type { PictureKeys } from './picture-keys.js'
import type { SelectionAnswer } from './view/answers.js'

/** Selections whose pictures are remembered, a byte a picture of the dataset each. */
const mostRemembered = 4

/** The selections of a dataset: the one thing that the page writes. */
export class Selections {
  readonly #flags = new LruCache<string, Uint8Array>({ maxSize: mostRemembered })

  constructor(
    private readonly dataset: Pick<Inspected, 'storage' | 'shards' | 'pictures'>,
    private readonly keys: PictureKeys,
  ) {}

  /** Grows whenever a selection may be another one. */
  version = 0

  /** All of them as they are now. */
  async list(): Promise<readonly SelectionAnswer[]> {
    this.#forget()
    return (await listSelections(this.dataset.storage)).map(({ name, keys }) => ({
      name,
      pictures: keys.length,
    }))
  }

  /**
   * 1 for each picture of a selection, by its place in the dataset. Keys that the dataset has not are passed over.
   *
   * @throws UserError where there is no such selection
   */
  flags(name: string): Promise<Uint8Array> {
    return this.#flags.load(name, async () => {
      const keys = await readSelection(this.dataset.storage, name)
      if (!keys) throw new UserError(`There is no selection ${nameList([name])}.`)
      const flags = new Uint8Array(this.dataset.pictures)
      for (const shard of this.dataset.shards) {
        const rows = await this.keys.rows(shard)
        for (const key of keys) {
          const row = rows.get(key)
          if (row !== undefined) flags[shard.start + row] = 1
        }
      }
      return flags
    })
  }

  /**
   * Stores the pictures at some places of the dataset as a selection; false where there is one of the name that is
   * not to be replaced.
   *
   * @throws UserError where it cannot be called so, has no pictures, or cannot be written
   */
  async save(name: string, places: Iterable<number>, replace: boolean): Promise<boolean> {
    const { storage, shards } = this.dataset
    const keys: string[] = []
    let own: readonly string[] = []
    let current: string | undefined
    for (const place of [...places].sort((a, b) => a - b)) {
      const { shard, row } = placeOf(shards, place)
      if (shard.name !== current) {
        own = [...(await this.keys.rows(shard)).keys()]
        current = shard.name
      }
      keys.push(own[row] as string)
    }
    const isStored = await writeSelection(storage, { name, keys }, replace).catch((error) => {
      if (error instanceof UserError) throw error
      throw new UserError(`The selection cannot be stored beside the dataset: ${(error as Error).message}`)
    })
    this.#forget()
    return isStored
  }

  #forget(): void {
    this.#flags.clear()
    this.version++
  }
}
