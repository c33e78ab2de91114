import { Queue } from 'bullmq'
import { onTestFinished } from 'vitest'
import { loadBullMq } from '../../src/pipeline/queue/load-bullmq.js'
import { openConnection, queueAddress } from '../../src/pipeline/queue/queue-address.js'
import { jobIdOf, queuePrefix } from '../../src/pipeline/queue/queue-job.js'
import type { Resource } from '../../src/pipeline/stages/resource.js'
import type { Task } from '../../src/pipeline/tasks/task.js'

/** The queue of a resource as BullMQ has it, empty, for a test that looks into it. */
export async function bareQueue(url: string, resource: Resource = 'cpu'): Promise<Queue> {
  const queue = new Queue(resource, { prefix: queuePrefix, connection: { url } })
  onTestFinished(() => queue.close())
  await queue.obliterate({ force: true })
  return queue
}

/** A connection of a test, with what it is made of. */
export async function connect(url: string) {
  const libraries = await loadBullMq()
  const address = queueAddress(url)
  const redis = openConnection(libraries, address)
  onTestFinished(() => redis.disconnect())
  return { libraries, address, redis }
}

/** Puts tasks as a coordinator does, with other options. */
export const addJobs = (queue: Queue, tasks: readonly Task[], opts: object = {}) =>
  queue.addBulk(
    tasks.map((task) => ({ name: task.stage, data: task, opts: { jobId: jobIdOf(task), ...opts } })),
  )

/** How long a test waits for what should come soon. Over mutants most of what does not come soon never comes. */
const patienceMs = process.env.MUTATION_TESTS ? 6000 : 20_000

/** Waits until something is so. Throws where it does not come. */
export async function soon(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What a promise gives, which should come soon. */
export async function soonDone<T>(work: Promise<T>): Promise<T> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  work.then(over, over)
  await soon(() => isOver)
  return work
}
