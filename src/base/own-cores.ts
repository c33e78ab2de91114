import { availableParallelism } from 'node:os'

let share: number | undefined

/** Says how many cores this process may use beside others of its run; undefined: all of them. */
export function shareCores(cores: number | undefined): void {
  share = cores
}

/** The share of the cores that this process was given; undefined where it may use all. */
export const sharedCores = (): number | undefined => share

/** Cores of the processor that this process may use. */
export const ownCores = (): number => share ?? availableParallelism()
