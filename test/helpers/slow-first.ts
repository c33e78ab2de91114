import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest, the longest first. */
const slow = [
  'pipeline/engines/many-processes',
  'readme',
  'package',
  'export/round-trip',
  'pipeline/queue/outages',
  'inspect/page',
  'cli/at-once',
  'cli/interrupts',
  'shards/many-writers',
  'pipeline/queue/queue',
  'ingest/replace-shards',
  'cli/main',
  'ingest/open-source',
  'cli/watch',
  'pipeline/cycle',
].map((name) => `test/${name}.test.ts`)

/**
 * Begins with the files that take longest, so that none of them is left alone at the end. Where a run of the tests was
 * before, the order is that of its times; elsewhere it would be that of the files' sizes, which say little.
 */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      // A worker that finds such a file next is ended, with the modules that it has loaded.
      if (project.config.isolate) return -1
      const place = slow.indexOf(relative(this.ctx.config.root, moduleId))
      return place < 0 ? slow.length : place
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
