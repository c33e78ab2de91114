import { existsSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file that comes with the program, such as `datasets/toy.yaml`. */
export function packaged(name: string): string {
  return fileURLToPath(new URL(`../../../${name}`, import.meta.url))
}

/**
 * The file that a path names; where there is none, the program's own of that name, so that
 * `groundmill run pipelines/cc3m.yaml` works in any folder.
 */
export function orPackaged(path: string): string {
  if (existsSync(path) || !/^(?:pipelines|datasets)\/[\w-]+\.yaml$/.test(path)) return path
  return existsSync(packaged(path)) ? packaged(path) : path
}

/** The card that comes with the program under that name, such as `cc3m`. */
export function packagedCard(name: string): string | undefined {
  if (!/^[\w+-]+$/.test(name)) return undefined
  const path = packaged(`datasets/${name}.yaml`)
  return existsSync(path) ? path : undefined
}

/** Names of the cards that come with the program. The toy world's file is a recipe, not a card. */
export const packagedCards = (): string[] =>
  readdirSync(packaged('datasets'))
    .filter((file) => file.endsWith('.yaml') && file !== 'toy.yaml')
    .map((file) => basename(file, '.yaml'))
    .sort()
