import { defineConfig } from 'vitest/config'
import { nodeFlags } from './test/helpers/node-flags.js'
import { SlowFirst } from './test/helpers/slow-first.js'
import { StallReporter } from './test/helpers/stall-reporter.js'

const common = {
  testTimeout: 240_000,
  hookTimeout: 240_000,
  setupFiles: ['test/helpers/equal-bytes.ts'],
  execArgv: [...nodeFlags],
}

/**
 * Files that need a process of their own. Once onnxruntime has opened a session, its process rounds the
 * smallest floats (denormals) to zero; these tests look at the last bit of them.
 */
const alone = ['test/shards/shard-file.test.ts']

export default defineConfig({
  test: {
    // One more than two cores: many tests wait, for servers, processes and clocks.
    maxWorkers: 3,
    sequence: { sequencer: SlowFirst },
    reporters: ['default', new StallReporter()],
    projects: [
      {
        test: {
          ...common,
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: alone,
          globalSetup: ['test/helpers/temporary-files.ts', 'test/helpers/compile.ts'],
          // A worker keeps the modules that it has loaded from file to file: a third of the time went into them.
          isolate: false,
        },
      },
      { test: { ...common, name: 'alone', include: alone } },
    ],
  },
})
