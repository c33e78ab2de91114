import { type Context, Hono } from 'hono'
import { LruCache } from '../base/lru-cache.js'
import { UserError } from '../base/user-error.js'
import { ShardRows } from '../shards/shard-rows.js'
import type { CountsAnswer, DatasetAnswer, ErrorAnswer, SampleAnswer, SamplesAnswer } from './answers.js'
import { compareSamples } from './compare-samples.js'
import { DatasetIndex } from './dataset-index.js'
import { isOwnHost, isSecret, pictureKey, safeHeaders } from './guard.js'
import { type Inspected, type Layer, placeOf, rowOf } from './layer.js'
import { Pictures, type ServedPicture } from './pictures.js'
import { RejectReader } from './read-rejects.js'
import { SampleReader } from './read-samples.js'
import { RowGroups } from './row-groups.js'
import { type QueryResult, runQuery, showsAll } from './run-query.js'
import { Turns } from './turns.js'
import { pageSize, readView, type View, writeView } from './view.js'

/** A file of the page. */
export interface PageFile {
  readonly bytes: Uint8Array
  readonly type: string
}

export interface InspectApp {
  readonly fetch: Hono['fetch']
  close(): Promise<void>
}

const withoutStore = { 'cache-control': 'no-store' }

/**
 * The page's server, without its socket. Every answer has `safeHeaders`; what is of the dataset is given only for the
 * token, and nothing is ever written.
 *
 * @param files of the page, by their paths
 * @param listens the address that the server listens on, once it does
 */
export function inspectApp(
  dataset: Inspected,
  files: ReadonlyMap<string, PageFile>,
  token: string,
  listens: () => { readonly host: string; readonly port: number },
): InspectApp {
  const turns = new Turns()
  const rows = new ShardRows(dataset.storage)
  const index = new DatasetIndex(dataset, () => turns.idle())
  const samples = new SampleReader(dataset, new RowGroups(dataset, rows))
  const rejects = new RejectReader(dataset, rows)
  const pictures = new Pictures(rows)
  const results = new LruCache<string, QueryResult>({ maxSize: 3 })
  const key = pictureKey(token)

  /** The layers that a view is of: the last one of the dataset where it names none, or one that is not there. */
  const layersOf = (view: View): { readonly layer?: Layer; readonly against?: Layer } => {
    const named = (name: string | null) => dataset.layers.find((one) => one.name === name)
    const layer = named(view.grounding) ?? dataset.layers.at(-1)
    const against =
      view.tab === 'compare'
        ? (named(view.against) ?? dataset.layers.filter((one) => one !== layer).at(-1))
        : undefined
    return { layer, against }
  }

  const query = (view: View, layer: Layer, against?: Layer): QueryResult => {
    if (against) index.want(against)
    index.want(layer)
    const progress = [layer, against].map((one) => (one ? index.progress(one).rows : 0))
    const name = `${writeView({ ...view, page: 0, open: null })} ${progress}`
    const known = results.get(name)
    if (known) return known
    const result = runQuery(dataset, index, view, layer, against)
    results.set(name, result)
    return result
  }

  const countsOf = (view: View): CountsAnswer | undefined => {
    const { layer, against } = layersOf(view)
    if (!layer) return undefined
    const { counts } = query(view, layer, against)
    const progress = [layer, ...(against ? [against] : [])].map((one) => index.progress(one))
    return { ...counts, index: progress.reduce((a, b) => (b.rows < a.rows ? b : a)) }
  }

  const samplesOf = async (view: View): Promise<SamplesAnswer> => {
    const { layer, against } = layersOf(view)
    if (!layer) return { total: 0, isWhole: true, samples: [] }
    const start = view.page * pageSize
    if (showsAll(view)) {
      index.want(layer)
      const total = dataset.pictures
      const count = Math.max(0, Math.min(pageSize, total - start))
      const places = Array.from({ length: count }, (_, at) => start + at)
      return { total, isWhole: true, samples: await samples.read(places, layer) }
    }
    if (view.tab === 'compare' && !against) return { total: 0, isWhole: true, samples: [] }
    const { matches } = query(view, layer, against)
    const places = [...matches.subarray(start, start + pageSize)]
    return {
      total: matches.length,
      isWhole: [layer, against].every((one) => !one || index.progress(one).isWhole),
      samples: against
        ? await compareSamples(dataset, samples, places, layer, against, view.threshold)
        : await samples.read(places, layer),
    }
  }

  const sampleOf = async (view: View): Promise<SampleAnswer | undefined> => {
    const { layer, against } = layersOf(view)
    const place = view.open === null ? undefined : rowOf(dataset.shards, view.open)
    if (!layer || place === undefined) return undefined
    const { shard, row } = placeOf(dataset.shards, place)
    const [sample] = against
      ? await compareSamples(dataset, samples, [place], layer, against, view.threshold)
      : await samples.read([place], layer)
    const range = { start: row, end: row + 1 }
    const [image] = await rows.read('images', null, shard.name, {
      ...range,
      columns: ['sha256', 'phash', 'license', 'meta'],
    })
    const leftOut =
      layer.phrases !== null && layer.kind !== 'gold'
        ? await rows
            .read('phrases', layer.phrases, shard.name, { ...range, columns: ['left_out'] })
            // Shards of older versions have no such column.
            .catch(() => [])
        : []
    const { total, at, idAt } = neighbours(view, place, layer, against)
    return {
      sample,
      ...image,
      leftOut: (leftOut[0]?.left_out ?? []).map(({ caption, text, reason }) => ({ caption, text, reason })),
      place: at === -1 ? null : at,
      total,
      before: idAt(at - 1),
      after: idAt(at + 1),
    }
  }

  const neighbours = (view: View, place: number, layer: Layer, against?: Layer) => {
    const all = showsAll(view)
    const matches = all ? undefined : query(view, layer, against).matches
    const total = matches?.length ?? dataset.pictures
    const at = matches ? matches.indexOf(place) : place
    const idAt = (position: number) => {
      if (at === -1 || position < 0 || position >= total) return null
      const { shard, row } = placeOf(dataset.shards, matches ? matches[position] : position)
      return `${shard.name}:${row}`
    }
    return { total, at, idAt }
  }

  const app = new Hono()

  app.use(async (context, next) => {
    turns.begin()
    try {
      const { host, port } = listens()
      const origin = context.req.header('origin')
      if (!isOwnHost(context.req.header('host'), host, port)) {
        context.res = context.text('This server answers to its own address only.\n', 403)
      } else if (origin !== undefined && origin !== `http://${context.req.header('host')}`) {
        context.res = context.text('No other page may ask this server.\n', 403)
      } else if (context.req.method !== 'GET' && context.req.method !== 'HEAD') {
        context.res = context.text('Nothing can be changed here.\n', 405, { allow: 'GET, HEAD' })
      } else await next()
      for (const [name, value] of Object.entries(safeHeaders)) context.res.headers.set(name, value)
    } finally {
      turns.end()
    }
  })

  app.use('/api/*', async (context, next) => {
    const [scheme, given = ''] = (context.req.header('authorization') ?? '').split(' ')
    if (scheme !== 'Bearer' || !isSecret(given, token)) {
      const error = 'Open the address that `groundmill inspect` has printed: it holds the token.'
      return context.json({ error } satisfies ErrorAnswer, 403, withoutStore)
    }
    await next()
  })

  const viewOf = (context: Context) => readView(new URL(context.req.url).search)
  const answer = (context: Context, value: unknown) =>
    value === undefined
      ? context.json(
          { error: 'There is no such thing in the dataset.' } satisfies ErrorAnswer,
          404,
          withoutStore,
        )
      : context.json(value as never, 200, withoutStore)

  app.get('/api/dataset', (context) => answer(context, { ...datasetAnswer(dataset), pictureKey: key }))
  app.get('/api/counts', (context) => answer(context, countsOf(viewOf(context))))
  app.get('/api/samples', async (context) => answer(context, await samplesOf(viewOf(context))))
  app.get('/api/sample', async (context) => answer(context, await sampleOf(viewOf(context))))
  app.get('/api/rejects', async (context) => {
    const { stage, reason, search } = viewOf(context)
    const from = Number(context.req.query('from') ?? 0)
    if (!dataset.funnel.some((one) => one.stage === stage) || !Number.isSafeInteger(from) || from < 0)
      return answer(context, undefined)
    return answer(context, await rejects.read({ stage: stage as string, reason, search, from }))
  })

  const picture = async (
    context: Context,
    read: (shard: string, row: number) => Promise<ServedPicture | undefined>,
  ) => {
    if (!isSecret(context.req.param('key') ?? '', key)) return context.text('Not found\n', 404)
    const place = rowOf(dataset.shards, context.req.param('id') ?? '')
    if (place === undefined) return context.text('Not found\n', 404)
    const { shard, row } = placeOf(dataset.shards, place)
    const found = await read(shard.name, row)
    if (!found) return context.text('This is no picture that is shown.\n', 415)
    return context.body(new Uint8Array(found.bytes), 200, {
      'content-type': found.type,
      'cache-control': 'private, max-age=3600',
      'content-disposition': 'inline',
    })
  }
  app.get('/thumb/:key/:id', (context) => picture(context, (shard, row) => pictures.thumb(shard, row)))
  app.get('/picture/:key/:id', (context) => picture(context, (shard, row) => pictures.whole(shard, row)))

  app.get('*', (context) => {
    const { pathname } = new URL(context.req.url)
    const file = files.get(pathname === '/' ? '/index.html' : pathname)
    if (!file) return context.text('Not found\n', 404)
    // Names of assets hold a hash of what is in them.
    const cache = pathname.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache'
    return context.body(new Uint8Array(file.bytes), 200, {
      'content-type': file.type,
      'cache-control': cache,
    })
  })

  app.onError((error, context) => {
    const isUsers = error instanceof UserError
    const text = isUsers ? error.message : `The server failed: ${error.message}`
    return context.json({ error: text } satisfies ErrorAnswer, isUsers ? 422 : 500, withoutStore)
  })

  return {
    fetch: app.fetch,
    async close() {
      await index.close()
      await rows.close()
    },
  }
}

function datasetAnswer({
  name,
  url,
  pictures,
  shards,
  layers,
  funnel,
}: Inspected): Omit<DatasetAnswer, 'pictureKey'> {
  return {
    name,
    url,
    pictures,
    shards: shards.length,
    layers: layers.map(({ name, kind, rules, thresholdRule, threshold, isExact, note }) => ({
      ...{ name, kind, rules, thresholdRule, threshold, isExact, note },
    })),
    funnel,
  }
}
