import { parseJson } from '../../../src/base/parse-json.js'
import { UserError } from '../../../src/base/user-error.js'
import { jobIdOf, taskName } from '../../../src/pipeline/queue/queue-job.js'
import {
  parseJobProgress,
  parseJobResult,
  parseStopIds,
  parseTask,
} from '../../../src/pipeline/queue/queue-messages.js'
import { type FuzzTarget, jsonSample } from '../target.js'

const task = {
  v: 2,
  run: '/data/runs/a',
  pipeline: 'a'.repeat(64),
  session: 'k3',
  stage: 'chunk',
  shard: '00001',
  missing: { gold: ['00000'] },
}
const result = {
  skipped: false,
  in: 12,
  out: 11,
  rejected: { no_phrase: 1 },
  relabelled: {},
  counts: { caption: 12 },
  failed: [{ shard: '00002', error: 'the picture is gone' }],
  warnings: ['one picture is small'],
}
const progress = { at: [3, 12, '4 images/s'], notices: ['device: cpu'], waits: 'chunk 00001 waits: x' }

/** What BullMQ makes of a field before it is given on; a job whose JSON is none is its own error. */
function fieldOf(bytes: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(bytes).toString('utf8'))
  } catch {
    throw new UserError('BullMQ sets it aside: it is not JSON.')
  }
}

/** What a worker and a coordinator read back from Redis. */
export function queueTargets(): FuzzTarget[] {
  return [
    {
      name: 'queue: task of a job',
      samples: [jsonSample(task), jsonSample({ ...task, shard: undefined, retry: 'all', drop: true })],
      async read(bytes) {
        const read = parseTask(fieldOf(bytes), 'cpu.1')
        jobIdOf(read)
        taskName(read)
      },
    },
    {
      name: 'queue: result of a job',
      samples: [jsonSample(result), jsonSample({ stopped: true })],
      async read(bytes) {
        if (!parseJobResult(fieldOf(bytes))) throw new UserError('It is looked for in the run.')
      },
    },
    {
      name: 'queue: progress of a job',
      samples: [jsonSample(progress), jsonSample({ at: [1, 2] })],
      async read(bytes) {
        const { at = [0, 0], notices = [], waits = '' } = parseJobProgress(fieldOf(bytes))
        const texts = [...at.slice(2), ...notices, waits]
        if (!texts.every((text) => typeof text === 'string')) throw new Error('a text is none')
      },
    },
    {
      name: 'queue: message of jobs to leave',
      samples: [jsonSample(['a.b.chunk.00001', 'a.b.chunk.00002'])],
      async read(bytes) {
        if (parseStopIds(Buffer.from(bytes).toString('utf8')).length === 0)
          throw new UserError('No job is left for it.')
      },
    },
  ]
}
