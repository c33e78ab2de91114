import { defineConfig } from 'vitest/config'
import { warmPool } from './bench/mutation/warm-pool.js'

/** What Stryker runs for each mutant: the tests that bench/verify-mutation.ts chose, in one thread. */
const { include, exclude } = JSON.parse(process.env.MUTATION_TESTS ?? '{}')

export default defineConfig({
  plugins: [
    {
      name: 'warm-pool',
      // Stryker's runner asks for a pool of its own, wherefore this is not said as `pool` below.
      configureVitest({ project }) {
        project.config.pool = 'warm'
        project.config.poolRunner = warmPool
      },
    },
  ],
  test: {
    include,
    exclude,
    reporters: [],
    globalSetup: ['test/helpers/temporary-files.ts'],
    setupFiles: ['test/helpers/under-mutants.ts'],
    isolate: false,
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Of the sandbox, so that a process that is started again after a mutant did not end has them at once.
    experimental: { fsModuleCache: true, fsModuleCachePath: '.vitest-modules' },
  },
})
