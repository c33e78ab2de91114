import { availableParallelism } from 'node:os'

/** Cores of the processor that this process may use: fewer where it shares them with others of its run. */
export function ownCores(): number {
  return sharedCores() ?? availableParallelism()
}

/** Its share of the cores where the process that started it has given it one (GROUNDMILL_CORES). */
export function sharedCores(): number | undefined {
  const cores = Number(process.env.GROUNDMILL_CORES)
  return Number.isInteger(cores) && cores > 0 ? cores : undefined
}
