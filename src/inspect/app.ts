import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { UserError } from '../base/user-error.js'
import { api, withoutStore } from './api.js'
import { isOwnHost, isSecret, pictureKey, safeHeaders } from './guard.js'
import { IdleGate } from './idle-gate.js'
import { type ImageShard, type Inspected, placeOf, rowOf } from './index/layer.js'
import { openReaders } from './open-readers.js'
import type { Pictures, ServedPicture } from './pictures.js'
import type { ReviewOptions } from './reviewing.js'
import type { ErrorAnswer } from './view/answers.js'

/** A file of the page. */
export interface PageFile {
  readonly bytes: Uint8Array
  readonly type: string
}

export interface InspectApp {
  readonly fetch: Hono['fetch']
  close(): Promise<void>
}

/** The address that the server listens on. */
interface Listening {
  readonly host: string
  readonly port: number
}

/**
 * The page's server, without its socket. Every answer has `safeHeaders`; what is of the dataset is given only
 * for the token, and nothing is written but selections and a review.
 *
 * @param files of the page, by their paths
 * @param listens the address that the server listens on, once it does
 * @param review what people say is written to it; without it nothing of that is let in
 */
export function inspectApp(
  dataset: Inspected,
  files: ReadonlyMap<string, PageFile>,
  token: string,
  listens: () => Listening,
  review?: ReviewOptions,
): InspectApp {
  const gate = new IdleGate()
  const readers = openReaders(dataset, () => gate.idle(), review)
  const key = pictureKey(token)

  const app = new Hono()
  app.use(guarded(gate, listens, review !== undefined))
  app.route('/api', api(dataset, readers, token, key))
  app.route('/', pictureRoutes(dataset.shards, readers.pictures, key))
  app.get('*', (context) => pageFile(context, files))
  app.onError((error, context) => {
    const isUsers = error instanceof UserError
    const text = isUsers ? error.message : `The server failed: ${error.message}`
    return context.json({ error: text } satisfies ErrorAnswer, isUsers ? 422 : 500, withoutStore)
  })
  return {
    fetch: app.fetch,
    close: readers.close,
  }
}

/** Refuses what is not meant for this server, and gives every answer the safe headers. */
function guarded(gate: IdleGate, listens: () => Listening, reviews: boolean): MiddlewareHandler {
  return async (context, next) => {
    gate.begin()
    try {
      const { host, port } = listens()
      const origin = context.req.header('origin')
      if (!isOwnHost(context.req.header('host'), host, port)) {
        context.res = context.text('This server answers to its own address only.\n', 403)
      } else if (origin !== undefined && origin !== `http://${context.req.header('host')}`) {
        context.res = context.text('No other page may ask this server.\n', 403)
      } else if (!isAllowed(context, origin, reviews)) {
        context.res = context.text('Nothing can be changed here.\n', 405, { allow: 'GET, HEAD' })
      } else await next()
      for (const [name, value] of Object.entries(safeHeaders)) context.res.headers.set(name, value)
    } finally {
      gate.end()
    }
  }
}

/**
 * Whether a request only reads, or is one that a page of this server may send to store a selection or a part of a review: a browser says
 * whose page it is, and sends JSON for another page's forms never.
 */
function isAllowed({ req }: Context, origin: string | undefined, reviews: boolean): boolean {
  if (req.method === 'GET' || req.method === 'HEAD') return true
  const isStored = req.path.startsWith('/api/selections/') || (reviews && req.path === '/api/reviews')
  return (
    req.method === 'POST' &&
    isStored &&
    origin !== undefined &&
    req.header('content-type') === 'application/json'
  )
}

/** Pictures, for which a browser sends no token: their addresses hold a secret of their own. */
function pictureRoutes(shards: readonly ImageShard[], pictures: Pictures, key: string): Hono {
  const picture = async (
    context: Context,
    read: (shard: string, row: number) => Promise<ServedPicture | undefined>,
  ) => {
    if (!isSecret(context.req.param('key') ?? '', key)) return context.text('Not found\n', 404)
    const place = rowOf(shards, context.req.param('id') ?? '')
    if (place === undefined) return context.text('Not found\n', 404)
    const { shard, row } = placeOf(shards, place)
    const found = await read(shard.name, row)
    if (!found) return context.text('This is no picture that is shown.\n', 415)
    return context.body(new Uint8Array(found.bytes), 200, {
      'content-type': found.type,
      'cache-control': 'private, max-age=3600',
      'content-disposition': 'inline',
    })
  }
  return new Hono()
    .get('/thumb/:key/:id', (context) => picture(context, (shard, row) => pictures.thumb(shard, row)))
    .get('/picture/:key/:id', (context) => picture(context, (shard, row) => pictures.whole(shard, row)))
}

function pageFile(context: Context, files: ReadonlyMap<string, PageFile>): Response {
  const { pathname } = new URL(context.req.url)
  const file = files.get(pathname === '/' ? '/index.html' : pathname)
  if (!file) return context.text('Not found\n', 404)
  // Names of assets hold a hash of what is in them.
  const cache = pathname.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache'
  return context.body(new Uint8Array(file.bytes), 200, { 'content-type': file.type, 'cache-control': cache })
}
