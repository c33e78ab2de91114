import { fileURLToPath } from 'node:url'

/** A file that comes with the program, such as `datasets/toy.yaml`. */
export function packaged(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url))
}
