import { type PoolOptions, SessionPool } from '../graph/session-pool.js'

interface Slot {
  readonly pool: Promise<SessionPool>
  users: number
  /** When it was last used, by a clock that counts uses. */
  used: number
}

/**
 * Sessions of one network for inputs of several sizes, of which no more than some are open at once: each
 * takes the memory of the whole network. One that is asked for is opened, and the one that was not used
 * longest is closed for it.
 *
 * This is a pool and no `LruCache`: its limit is one of memory and never passed, so that who asks for one
 * more size than may be open waits until another is no longer in use, and until it is closed.
 */
export class SizeSessions {
  private readonly slots = new Map<number, Slot>()
  private readonly waiting: (() => void)[] = []
  private turn: Promise<unknown> = Promise.resolve()
  private clock = 0

  /**
   * @param files the model of each size
   * @param limit most sizes that are open at once
   */
  constructor(
    private readonly files: readonly string[],
    private readonly limit: number,
    private readonly options: PoolOptions,
  ) {}

  /** Sizes that are open now. */
  get open(): readonly number[] {
    return [...this.slots.keys()]
  }

  /**
   * Does work with the sessions of a size, which stay open for as long as that takes.
   *
   * @throws UserError where onnxruntime cannot load the model
   */
  async use<T>(size: number, work: (pool: SessionPool) => Promise<T>): Promise<T> {
    // One at a time, in the order of asking: two that wait for room could each hold what the other needs.
    const asked = this.turn.then(() => this.acquire(size))
    this.turn = asked.catch(() => {})
    const slot = await asked
    try {
      return await work(await slot.pool)
    } finally {
      slot.users--
      slot.used = ++this.clock
      for (const wake of this.waiting.splice(0)) wake()
    }
  }

  /** Closes all; none may be in use. */
  async close(): Promise<void> {
    await this.turn
    const pools = [...this.slots.values()]
    this.slots.clear()
    await Promise.all(pools.map(async ({ pool }) => (await pool).close()))
  }

  private async acquire(size: number): Promise<Slot> {
    const known = this.slots.get(size)
    if (known) {
      known.users++
      return known
    }
    while (this.slots.size >= this.limit) {
      const idle = [...this.slots].filter(([, { users }]) => users === 0)
      const oldest = idle.sort(([, a], [, b]) => a.used - b.used)[0]
      if (oldest) {
        this.slots.delete(oldest[0])
        await (await oldest[1].pool).close()
      } else await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
    const pool = SessionPool.open(this.files[size], this.options)
    const slot = { pool, users: 1, used: 0 }
    this.slots.set(size, slot)
    try {
      await pool
    } catch (error) {
      this.slots.delete(size)
      throw error
    }
    return slot
  }
}
