import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes by which the heap and what hangs on it may grow before garbage is looked for. */
const leastGrowth = 32 << 20
/** A heap in which more is alive may grow by this share of it, since looking through it takes longer. */
const growthShare = 0.5

/**
 * Looks for garbage when the heap has grown since it last did. To be called often, and to be made once, since the heap
 * is all the process's.
 *
 * Left alone, V8 lets a heap grow to hundreds of MB before it first looks through the old part of it, and a row on its way
 * through a crawl lives long enough to leave some KB there. Its dead buffers meanwhile hold pieces of malloc's memory,
 * between which the next ones do not fit.
 *
 * @param collect frees what is dead
 * @param used bytes of the heap and of the buffers that its objects hold
 */
export function garbageCollector(collect: () => void, used: () => number): () => void {
  const limitOver = (alive: number) => alive + Math.max(leastGrowth, growthShare * alive)
  let limit = limitOver(used())
  return () => {
    if (used() <= limit) return
    collect()
    limit = limitOver(used())
  }
}

let own: (() => void) | undefined

/** Looks for garbage in this process's heap when that has grown. */
export function collectGarbage(): void {
  own ??= garbageCollector(engineCollect(), usedBytes)
  own()
}

function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

/** The function `gc`, which node shows only to a context that is made while the flag is set. */
function engineCollect(): () => void {
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc')
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
