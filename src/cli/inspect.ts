import { once } from 'node:events'
import { userInfo } from 'node:os'
import { readJudgements } from '../audit/judgements.js'
import { counted } from '../base/counted.js'
import { mapLimited } from '../base/map-limited.js'
import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { type OpenDataset, openDataset } from '../catalog/open-dataset.js'
import { datasetLayers } from '../filter/dataset-layers.js'
import { goldTargets, judgeBoxes } from '../filter/rows-with-gold.js'
import { isLoopback } from '../inspect/guard.js'
import type { ImageShard, Inspected, Judge, Layer } from '../inspect/index/layer.js'
import { rememberedAddress } from '../inspect/remembered-address.js'
import { checkReviewer, type ReviewOptions } from '../inspect/reviewing.js'
import { serveInspect } from '../inspect/serve-inspect.js'
import { reviewFolder } from '../review/review-files.js'
import { readCommit } from '../shards/commit.js'
import { ShardRows } from '../shards/shard-rows.js'
import { note, print, printJson, say } from './terminal/print.js'

export interface InspectOptions {
  readonly port?: number
  readonly host: string
  readonly newToken?: boolean
  readonly review?: string
  readonly reviewer?: string
  readonly queue?: string
  readonly json?: boolean
}

/** `groundmill inspect`: the page over a dataset, until it is interrupted. */
export async function inspect(url: string, options: InspectOptions, signal: AbortSignal): Promise<void> {
  const review = await reviewOf(options)
  const { dataset, missing } = await openInspected(url)
  note(
    `showing ${dataset.name}, ${counted(dataset.pictures, 'picture')}: ${nameList(dataset.layers.map(({ name }) => name))}`,
  )
  for (const why of missing) say(`Not shown: ${why}`)
  if (review) say(`Reviewing ${review.name} as ${review.reviewer}.`)
  const known = await rememberedAddress(url, options.newToken)
  if (known.note !== null) say(known.note)
  const { host } = options
  const wanted = options.port ?? known.port ?? 0
  const anyPort = options.port === undefined
  const server = await serveInspect(dataset, {
    ...{ host, token: known.token, port: wanted, anyPort },
    ...(review && { review }),
  })
  const isMoved = wanted !== 0 && server.port !== wanted
  if (isMoved)
    say(`Port ${wanted}, which the page had the last time, is taken: it is on ${server.port} this time.`)
  await known
    .keep(isMoved ? wanted : server.port)
    .catch((error: Error) => say(`The address is not kept for the next time: ${error.message}`))
  if (options.json) printJson({ dataset: url, url: server.url })
  else print(server.url)
  if (!isLoopback(options.host))
    say('Other machines can reach it, over plain HTTP: who has the address sees the dataset.')
  if (!signal.aborted) await once(signal, 'abort')
  await server.close()
}

/** The review that the page writes; undefined where it only shows. */
async function reviewOf({ review, reviewer, queue }: InspectOptions): Promise<ReviewOptions | undefined> {
  if (review === undefined) {
    if (reviewer === undefined && queue === undefined) return undefined
    throw new UserError(
      `inspect: ${reviewer === undefined ? '--queue' : '--reviewer'} says how a review is made: name it with --review NAME.`,
    )
  }
  // A name that cannot be is told of before anything is opened.
  reviewFolder(review)
  const who = checkReviewer(reviewer ?? systemUser())
  if (queue === undefined) return { name: review, reviewer: who }
  return { name: review, reviewer: who, sample: await readJudgements(queue) }
}

/** The name of who has started the program; some machines know none. */
function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    return 'reviewer'
  }
}

/**
 * A dataset as the page looks at it, with what it needs of the stages; and which groundings it cannot show,
 * and why.
 *
 * @throws UserError where there is no dataset, or no picture in it
 */
export async function openInspected(
  url: string,
): Promise<{ readonly dataset: Inspected; readonly missing: readonly string[] }> {
  const opened = await openDataset(url)
  const shards = await imageShards(opened)
  const last = shards.at(-1)
  if (!last) throw new UserError(`${url} has no pictures yet: run its ingest stage first.`)
  const { layers: found, missing } = await datasetLayers(opened)
  const { name, storage } = opened
  const isByCategory = await namesCategories(storage, last.name)
  const layers =
    found.length > 0
      ? found.map((layer) => ({ ...layer, isByCategory: layer.kind === 'gold' && isByCategory }))
      : unfoundLayers(opened)
  const funnel = opened.stages.map(({ stage, family, unit, in: given, out, rejected, relabelled }) => ({
    ...{ stage, family, unit, in: given, out },
    rejected: Object.entries(rejected).sort((a, b) => b[1] - a[1]),
    relabelled: Object.entries(relabelled),
  }))
  const pictures = last.start + last.rows
  return { dataset: { url, name, storage, shards, pictures, layers, funnel, judge }, missing }
}

/** Boxes are judged as `groundmill sweep` does. */
const [byWords, byCategory] = [goldTargets(undefined), goldTargets({ synonyms: {} })]
const judge: Judge = {
  targets: (phrases, told, isByCategory) => (isByCategory ? byCategory : byWords)(phrases, told),
  boxes: judgeBoxes,
}

/** Pictures whose captions are looked at to find out what gold's words are. */
const lookedAt = 100

/** Whether pictures have lists of categories among their captions: then gold's words are names of these. */
async function namesCategories(storage: OpenDataset['storage'], shard: string): Promise<boolean> {
  const rows = new ShardRows(storage)
  try {
    const range = { start: 0, end: lookedAt, columns: ['captions'] as const }
    const read = await rows.read('images', null, shard, range)
    return read.some(({ captions }) => captions.some(({ kind }) => kind === 'categories'))
  } catch {
    // A damaged shard is told of where it is shown.
    return false
  } finally {
    await rows.close()
  }
}

/**
 * What is shown where no teacher has looked yet: the phrases of each chunk stage, or the pictures with their
 * captions.
 */
function unfoundLayers({ stages }: OpenDataset): Layer[] {
  const plain = {
    boxes: null,
    madeBy: 'as stored',
    rules: null,
    thresholdRule: null,
    threshold: 0,
    isExact: true,
  }
  const unjudged = { passing: null, dropped: null, isByCategory: false } as const
  const chunked = stages.filter(({ family }) => family === 'phrases')
  const note = 'No teacher has been asked yet.'
  if (chunked.length === 0)
    return [{ ...plain, ...unjudged, name: 'pictures', kind: 'pictures', phrases: null, note }]
  return chunked.map(({ stage }) => ({
    ...plain,
    ...unjudged,
    name: stage,
    kind: 'phrases',
    phrases: stage,
    note,
  }))
}

/** The shards whose pictures are there, and where each begins. */
async function imageShards({ storage, shards }: OpenDataset): Promise<ImageShard[]> {
  const found: ImageShard[] = []
  let start = 0
  const read = async (name: string) =>
    [name, (await readCommit(storage, 'images', null, name))?.files.images?.rows ?? 0] as const
  for (const [name, rows] of await mapLimited(shards, read)) {
    if (rows === 0) continue
    found.push({ name, rows, start })
    start += rows
  }
  return found
}
