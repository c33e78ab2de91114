import { type GraphOverWeights, type PoolOptions, SessionPool } from '../graph/session-pool.js'

interface Slot {
  readonly pool: Promise<SessionPool>
  users: number
  /** The count of uses when this one ended: the least of all is the least recently used. */
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
export class SizeSessions<S> {
  private readonly slots = new Map<S, Slot>()
  private readonly waiting: (() => void)[] = []
  /** Settled when all earlier calls have their slots. */
  private queue: Promise<unknown> = Promise.resolve()
  private uses = 0

  /**
   * @param modelOf the model of a size, made when its sessions are opened
   * @param limit sizes that are open at once at most
   */
  constructor(
    private readonly modelOf: (size: S) => string | GraphOverWeights,
    private readonly limit: number,
    private readonly options: PoolOptions,
  ) {}

  /** Sizes that are open now. */
  get open(): readonly S[] {
    return [...this.slots.keys()]
  }

  /**
   * Does work with the sessions of a size, which stay open for as long as that takes.
   *
   * @throws UserError where onnxruntime cannot load the model
   */
  async use<T>(size: S, work: (pool: SessionPool) => Promise<T>): Promise<T> {
    // One at a time, in the order of calls: two that wait for a slot could each hold the one that the other
    // needs.
    const acquired = this.queue.then(() => this.acquire(size))
    this.queue = acquired.catch(() => {})
    const slot = await acquired
    try {
      return await work(await slot.pool)
    } finally {
      slot.users--
      slot.used = ++this.uses
      for (const wake of this.waiting.splice(0)) wake()
    }
  }

  /** Closes all; none may be in use. */
  async close(): Promise<void> {
    await this.queue
    const pools = [...this.slots.values()]
    this.slots.clear()
    await Promise.all(pools.map(async ({ pool }) => (await pool).close()))
  }

  private async acquire(size: S): Promise<Slot> {
    const known = this.slots.get(size)
    if (known) {
      known.users++
      return known
    }
    while (this.slots.size >= this.limit) {
      const idle = [...this.slots].filter(([, { users }]) => users === 0)
      const [oldest] = idle.sort(([, a], [, b]) => a.used - b.used)
      if (oldest) {
        const [oldestSize, { pool }] = oldest
        this.slots.delete(oldestSize)
        await (await pool).close()
      } else await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
    const pool = SessionPool.open(this.modelOf(size), this.options)
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
