/** What the plan is computed from. Each rate says where it comes from. */
export interface Rate {
  readonly value: number
  readonly unit: string
  /** The command that measured it, or the source it was taken from. */
  readonly from: string
  /** Measured here, in the same run or by the command named; told by others; or assumed. */
  readonly kind: 'same run' | 'measured' | 'told' | 'assumed'
}

const measured = (value: number, unit: string, from: string): Rate => ({
  value,
  unit,
  from,
  kind: 'measured',
})
const told = (value: number, unit: string, from: string): Rate => ({ value, unit, from, kind: 'told' })
const assumed = (value: number, unit: string, from: string): Rate => ({ value, unit, from, kind: 'assumed' })

/** Rates that the benchmark does not measure itself. `--rate "name=value"` puts another in place of one. */
export const rates = {
  'shard size': assumed(5000, 'pairs', '`shard_size` of ingest is 1,000 by default and 10,000 at most'),
  'kept of a list': assumed(
    0.7,
    'of the pairs',
    'lists rot: img2dataset users tell of 77 % (CC12M, one retry) and 50 to 60 % (GRIT)',
  ),
  'bytes of a picture': told(130_000, 'B', "img2dataset's README: 1,000 pictures a second are 130 MB/s"),
  'seconds of a request': assumed(
    1.5,
    's',
    'mean over hosts near and far, with those that time out after 10 s',
  ),
  'requests at once': assumed(1024, 'a machine', '`fetch.concurrency`; 32 by default; img2dataset has 4,096'),
  'crawl, CPU': measured(
    1 / 130,
    's a picture',
    '`npm run bench:ingest -- --urls 1500 --rounds 1`, 1600-pixel JPEGs to 256',
  ),
  'network of a machine': assumed(250e6, 'B/s', '2 Gbit/s, as in the figures of img2dataset'),
  'cores of a machine': assumed(16, 'cores', 'as in the figures of img2dataset'),
  'teacher on a GPU': assumed(
    4,
    'pictures/s',
    'GLIP-T at 800 x 1333 in float32: 2.52 on a P100 (GLIP, supplement), 3.7 on a V100 (0.12 FPS at 31 prompts, YOLO-World); no GPU was measured here',
  ),
  'teacher on a core': measured(
    0.035,
    'pictures/s',
    '`npm run bench:teacher`: 0.07 on two cores, `glip-t` at 800 x 1344',
  ),
  'prompts a picture': assumed(1.05, 'prompts', 'a caption is one prompt; few have over 256 tokens'),
  'bytes of a job in Redis': measured(
    1140,
    'B',
    'INFO memory over 100,000 waiting jobs: BullMQ 6.7.0, Redis 7.0.15',
  ),
  'jobs in the window': assumed(1000, 'jobs', 'what a coordinator has released and not done'),
  'price of 1,000 writes': told(0.005, 'USD', "S3 Standard's list price for PUT, POST, LIST (us-east-1)"),
  'price of 1,000 reads': told(0.0004, 'USD', "S3 Standard's list price for GET, HEAD (us-east-1)"),
  'price of a GB-month': told(0.023, 'USD', "S3 Standard's list price, the first 50 TB (us-east-1)"),
  'answer of the store': assumed(0.03, 's', 'first byte of a small object in the same region'),
} as const satisfies Readonly<Record<string, Rate>>

export type RateName = keyof typeof rates
export type Rates = Readonly<Record<RateName, number>>

/** The values of the rates, with those that the command line gives. Throws an Error where it names no rate. */
export function ratesOf(given: readonly string[]): Rates {
  const values = Object.fromEntries(Object.entries(rates).map(([name, { value }]) => [name, value]))
  for (const text of given) {
    const [, name = '', value = ''] = /^(.*)=([^=]+)$/.exec(text) ?? []
    if (!(name in values) || !(Number(value) > 0))
      throw new Error(
        `--rate ${text}: one of these with a positive number: ${Object.keys(values).join(', ')}`,
      )
    values[name] = Number(value)
  }
  return values as Rates
}
