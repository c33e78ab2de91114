/**
 * A sample of the mutants: a plugin of Stryker that passes over those that were not drawn, and the rule by which
 * they are drawn. A mutant is drawn by a hash of the seed, its place and what it puts there, so that a sample is the
 * same in every run, whatever else is in it.
 */
import { createHash } from 'node:crypto'

/** What Stryker says of a mutant that was passed over; none of ours fails to compile. */
export const passedOver = 'CompileError'

/**
 * Whether a mutant is in a sample.
 *
 * @param {{ fileName: string, location: { start: { line: number, column: number }, end: { line: number, column: number } }, mutatorName: string, replacement?: string | undefined }} mutant
 * @param {number} share of all mutants that are in the sample, from 0 to 1
 * @param {number} seed
 */
export function isDrawn({ fileName, location, mutatorName, replacement }, share, seed) {
  if (share >= 1) return true
  const { start, end } = location
  const place = [start.line, start.column, end.line, end.column].join(':')
  const file = fileName.slice(fileName.lastIndexOf('src/'))
  const hash = createHash('sha256').update([seed, file, place, mutatorName, replacement].join('\n'))
  return hash.digest().readUInt32BE() / 2 ** 32 < share
}

export const strykerPlugins = [
  {
    kind: 'Checker',
    name: 'sample',
    factory: () => {
      // Said by bench/verify-mutation.ts to the processes that Stryker starts.
      const { share, seed } = JSON.parse(process.env.MUTATION_SAMPLE ?? '{"share":1,"seed":1}')
      return {
        init: async () => {},
        /** @param {Parameters<typeof isDrawn>[0][]} mutants, each with its id */
        check: async (mutants) =>
          Object.fromEntries(
            mutants.map((mutant) => [
              /** @type {any} */ (mutant).id,
              isDrawn(mutant, share, seed)
                ? { status: 'passed' }
                : { status: 'compileError', reason: 'not drawn' },
            ]),
          ),
        /** @param {any[]} mutants */
        group: async (mutants) => [mutants.map(({ id }) => id)],
      }
    },
  },
]
