import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packaged } from '../../src/base/files/packaged.js'
import { countOf, type FaultCount, tell } from './count-faults.js'

/** Tests of which `npm test` tries some moments and cases, and these all: `test/helpers/thorough.ts`. */
const files = [
  'test/shards/commit-protocol.test.ts',
  'test/shards/many-writers.test.ts',
  'test/pipeline/kill.test.ts',
  'test/pipeline/engines/many-processes.test.ts',
  'test/pipeline/queue/outages.test.ts',
  'test/export/round-trip.test.ts',
  'test/audit/audit.test.ts',
]

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly duration?: number
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** Runs these tests with all their moments and cases; a count for each file. */
export async function exhaustiveTests(folder: string, done: (count: FaultCount) => void): Promise<void> {
  for (const [index, file] of files.entries()) {
    const count = countOf(`all moments of ${file}`)
    const start = performance.now()
    const output = join(folder, `tests-${index}.json`)
    const args = ['vitest', 'run', file, '--reporter=json', `--outputFile=${output}`]
    const child = spawn('npx', [...args, '--testTimeout=3600000'], {
      cwd: packaged('.'),
      stdio: 'ignore',
      env: { ...process.env, GROUNDMILL_FAULTS: 'all' },
    })
    await new Promise((resolve) => child.once('close', resolve))
    const report = JSON.parse(await readFile(output, 'utf8')) as Report
    for (const test of report.testResults.flatMap(({ assertionResults }) => assertionResults)) {
      if (test.status === 'skipped' || test.status === 'pending') continue
      count.tries++
      if (test.status === 'passed') continue
      count.lost++
      tell(count, `${test.fullName}: ${test.failureMessages[0]?.split('\n')[0]}`)
    }
    count.seconds = (performance.now() - start) / 1000
    done(count)
  }
}
