/**
 * Runs before each test file that is run over mutants (bench/verify-mutation.ts): properties try the same inputs
 * each time and tell a failure as soon as they see it, and tests that are not for mutants are skipped.
 */
import fc from 'fast-check'
import { beforeEach } from 'vitest'

const { skip: skipped } = JSON.parse(process.env.MUTATION_TESTS ?? '{}')

fc.configureGlobal({ seed: 1, endOnFailure: true })

beforeEach(({ task, skip }) => {
  if (skipped.some((title: string) => task.name.startsWith(title))) skip()
})
