import type { Rates } from './rates.js'

/** Rates that the benchmark has measured in the same run. */
export interface MeasuredRates {
  /** Rows a second of a list that is planned, one process. */
  readonly planning: number
  /** Commit records that are read and added up in a second of one core, and bytes of one. */
  readonly records: number
  readonly recordBytes: number
  /** Bytes of a shard in the stored plan, and of a shard in `dataset.json`. */
  readonly markBytes: number
  readonly shardNameBytes: number
  /**
   * Seconds that a dedup stage takes for a picture, one process; by how many more for each picture that it
   * knows; and bytes of memory for each.
   */
  readonly dedup: number
  readonly dedupGrowth: number
  readonly dedupBytes: number
  /** Captions a second whose words are counted, one core. */
  readonly captions: number
  /** Processor seconds a row. */
  readonly chunk: number
  readonly filter: number
  /** Regions that a filter keeps of a picture. */
  readonly regions: number
  /** Bytes a row of each family, pictures aside. */
  readonly rowBytes: Readonly<Record<string, number>>
  /** Calls of the storage that a task makes. */
  readonly taskReads: number
  readonly taskWrites: number
  /** Bytes of memory for a box in the index of a COCO file. */
  readonly cocoBytes: number
}

/** What is there to work with. */
export interface Cluster {
  readonly pairs: number
  readonly machines: number
  readonly gpus: number
}

/** How long a part of the work takes, and of what it is made. */
export interface Step {
  readonly name: string
  readonly hours: number
  /** Whether one process does it: more machines do not help. */
  readonly alone: boolean
  readonly limit: string
}

export interface Plan {
  readonly cluster: Cluster
  readonly shards: number
  readonly tasks: number
  readonly pictures: number
  readonly steps: readonly Step[]
  /** The step that takes longest, and the longest of those that one process does. */
  readonly first: Step
  readonly firstAlone: Step
  readonly figures: Readonly<Record<string, { readonly value: number; readonly unit: string }>>
}

/** Stages of a round over pairs from the web, by the shard: ingest, dedup, chunk, teach, filter. */
const stages = 5
const hour = 3600
/** Names in an answer of S3 to a list call. */
const listed = 1000
/** S3 puts larger objects in parts of so many bytes. */
const partBytes = 16 * 2 ** 20
/** Row groups hold 16 MiB or 500 rows, and are read one after another. */
const groupBytes = 16 * 2 ** 20
const groupRows = 500
const readsAtOnce = 32

/** What a round over so many pairs takes on a cluster, from crawling to grounding. All of it is arithmetic. */
export function planRound(cluster: Cluster, rates: Rates, measured: MeasuredRates): Plan {
  const { pairs, machines, gpus } = cluster
  const shards = Math.ceil(pairs / rates['shard size'])
  const tasks = stages * shards
  const pictures = pairs * rates['kept of a list']
  const cores = machines * rates['cores of a machine']
  const records = stages * shards

  const crawl = [
    [(pairs * rates['seconds of a request']) / (machines * rates['requests at once']), '`fetch.concurrency`'],
    [(pictures * rates['bytes of a picture']) / (machines * rates['network of a machine']), 'network'],
    [(pictures * rates['crawl, CPU']) / cores, 'cores'],
  ] as const
  const slowest = crawl.reduce((a, b) => (b[0] > a[0] ? b : a))
  const gpuSeconds = (pictures * rates['prompts a picture']) / rates['teacher on a GPU']
  // Bound by the core that parses, or by the store's answers.
  const statistics = records / Math.min(measured.records, readsAtOnce / rates['answer of the store'])
  const step = (name: string, seconds: number, alone: boolean, limit: string): Step => ({
    name,
    hours: seconds / hour,
    alone,
    limit,
  })
  const steps = [
    step('planning', pairs / measured.planning, true, 'one core reads lines'),
    step('crawl', slowest[0], false, slowest[1]),
    step(
      'dedup',
      pictures * (measured.dedup + (measured.dedupGrowth * pictures) / 2),
      true,
      'one process, a chain over the shards',
    ),
    step('chunk', (pictures * measured.chunk) / cores, false, 'cores'),
    step('teach', gpuSeconds / gpus, false, 'GPUs'),
    step('filter', (pictures * measured.filter) / cores, false, 'cores'),
    step('statistics', statistics, true, 'one core parses records'),
    step('vocabulary', pictures / measured.captions, true, 'one core counts words'),
  ]
  const longest = (all: readonly Step[]) => all.reduce((a, b) => (b.hours > a.hours ? b : a))

  const imageBytes = pictures * (rates['bytes of a picture'] + measured.rowBytes.images!)
  const others = Object.entries(measured.rowBytes).filter(([family]) => family !== 'images')
  const otherBytes = others.reduce((sum, [, bytes]) => sum + pictures * bytes, 0)
  const imageShard = imageBytes / shards
  const rowsAShard = pictures / shards
  const groups = Math.max(imageShard / groupBytes, rowsAShard / groupRows)
  // A picture is read twice: by the teacher, and by whoever trains or exports; captions by chunk and filter.
  const reads = tasks * measured.taskReads + shards * groups * 4
  const parts = imageShard <= partBytes ? 1 : Math.ceil(imageShard / partBytes) + 2
  const writes = tasks * measured.taskWrites + shards * parts
  const lists = stages * Math.ceil((2 * shards) / listed)
  const network = pictures * rates['bytes of a picture'] * 3

  const figures = {
    shards: { value: shards, unit: 'shards' },
    tasks: { value: tasks, unit: 'tasks' },
    pictures: { value: pictures, unit: 'pictures' },
    hours: { value: steps.reduce((sum, { hours }) => sum + hours, 0), unit: 'h, one step after another' },
    'longest step': { value: longest(steps).hours, unit: 'h, where stages overlap shard by shard' },
    'machine hours, crawl': { value: machines * (steps[1] as Step).hours, unit: 'machine hours' },
    'core hours, chunk and filter': {
      value: (pictures * (measured.chunk + measured.filter)) / hour,
      unit: 'core hours',
    },
    'GPU hours': { value: gpuSeconds / hour, unit: 'GPU hours' },
    'core hours in place of GPUs': {
      value: (pictures * rates['prompts a picture']) / rates['teacher on a core'] / hour,
      unit: 'core hours',
    },
    'network, fetched': { value: (pictures * rates['bytes of a picture']) / 1e12, unit: 'TB' },
    'network, with the store': { value: network / 1e12, unit: 'TB, fetched, put, read by the teacher' },
    'storage, pictures': { value: imageBytes / 1e12, unit: 'TB' },
    'storage, all else': { value: otherBytes / 1e12, unit: 'TB a round' },
    'storage, records': { value: (records * measured.recordBytes) / 1e9, unit: 'GB' },
    'storage, a month': {
      value: ((imageBytes + otherBytes) / 1e9) * rates['price of a GB-month'],
      unit: 'USD',
    },
    'requests, class A': { value: writes + lists, unit: 'PUT, LIST' },
    'requests, class B': { value: reads, unit: 'GET, HEAD' },
    'requests, price': {
      value:
        ((writes + lists) * rates['price of 1,000 writes'] + reads * rates['price of 1,000 reads']) / 1000,
      unit: 'USD',
    },
    'list calls to see all records': { value: lists, unit: 'calls' },
    'names in a folder': { value: 2 * shards, unit: 'files and records' },
    'dataset.json': { value: (shards * measured.shardNameBytes) / 1e6, unit: 'MB' },
    'stored plan': { value: (shards * measured.markBytes) / 1e6, unit: 'MB' },
    'Redis, the window': {
      value: (Math.min(tasks, rates['jobs in the window']) * rates['bytes of a job in Redis']) / 1e6,
      unit: 'MB',
    },
    'Redis, were all tasks put': { value: (tasks * rates['bytes of a job in Redis']) / 1e6, unit: 'MB' },
    'memory, dedup': { value: (pictures * measured.dedupBytes) / 1e9, unit: 'GB, one process' },
    'memory, a COCO index of the boxes': {
      value: (pictures * measured.regions * measured.cocoBytes) / 1e9,
      unit: 'GB, were they read back as one file',
    },
  }
  return {
    ...{ cluster, shards, tasks, pictures, steps, figures, first: longest(steps) },
    firstAlone: longest(steps.filter(({ alone }) => alone)),
  }
}
