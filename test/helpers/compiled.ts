import { join } from 'node:path'

/**
 * Where the compiled program lies for tests, beside `src`: what comes with the package (`datasets`, `assets`)
 * is found from there as from `dist`.
 */
export const compiled = '.test-dist'

/** The command line as a user runs it. */
export const compiledMain = join(compiled, 'cli/main.js')

/** What tests start as processes of their own, over and over, and what these import of the tests. */
export const programs = [
  'helpers/command-host',
  'helpers/host-limiter-child',
  'helpers/many-commands',
  'helpers/queue-process',
  'helpers/picture-bombs',
  'helpers/webgpu-answers',
  'helpers/device-cases',
  'helpers/device-profile',
  'helpers/glip-cases',
  'helpers/query-cases',
  'helpers/recorded-runs',
  'helpers/small-step',
  'helpers/tiny-glip',
  'helpers/fake-tasks',
  'pictures/decode-bombs',
  'pipeline/records/open-model',
  'shards/write-shards',
  'shards/write-until-killed',
  'storage/compete',
] as const

/** Where such a program lies compiled, from the working directory. */
export const compiledProgram = (name: (typeof programs)[number]): string =>
  join(compiled, 'test', `${name}.js`)
