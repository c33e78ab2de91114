import { AsyncLocalStorage } from 'node:async_hooks'

/** Something that would be fetched, and is not, for nobody wants it yet. */
export class NotFetched extends Error {
  override readonly name = 'NotFetched'

  /** @param bytes that would be fetched */
  constructor(
    readonly address: string,
    readonly bytes: number,
  ) {
    super(`${address} is not on this machine yet: ${Math.ceil(bytes / 1e6)} MB would be fetched`)
  }
}

const scope = new AsyncLocalStorage<true>()
let running = 0

/** Work that looks at things and does not want weights and data for that: where it would, it ends in NotFetched. */
export async function withoutFetching<T>(work: () => Promise<T>): Promise<T> {
  running++
  try {
    return await scope.run(true, work)
  } finally {
    running--
    // In Node 20 a storage that was once used watches every promise of the process until it is disabled: of a crawl
    // that is a tenth of what its own thread does.
    if (running === 0) scope.disable()
  }
}

/** Throws NotFetched where there are bytes of an address to be fetched, and they are not to be now. */
export function requireFetching(address: string, bytes: number): void {
  if (scope.getStore() && bytes > 0) throw new NotFetched(address, bytes)
}
