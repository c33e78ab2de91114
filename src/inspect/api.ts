import { type Context, Hono } from 'hono'
import type { DatasetAnswer, ErrorAnswer } from './answers.js'
import { isSecret } from './guard.js'
import type { Inspected } from './layer.js'
import type { RejectReader } from './reject-reader.js'
import { readView } from './view.js'
import type { ViewReader } from './view-reader.js'

/** Answers of the dataset are not kept by the browser. */
export const withoutStore = { 'cache-control': 'no-store' }

/**
 * What the page asks of a dataset, given only for the token.
 *
 * @param pictureKey the secret in the addresses of pictures
 */
export function api(
  dataset: Inspected,
  views: ViewReader,
  rejects: RejectReader,
  token: string,
  pictureKey: string,
): Hono {
  const app = new Hono()
  app.use(async (context, next) => {
    const [scheme, given = ''] = (context.req.header('authorization') ?? '').split(' ')
    if (scheme !== 'Bearer' || !isSecret(given, token)) {
      const error = 'Open the address that `groundmill inspect` has printed: it holds the token.'
      return context.json({ error } satisfies ErrorAnswer, 403, withoutStore)
    }
    await next()
  })
  app.get('/dataset', (context) => answer(context, datasetAnswer(dataset, pictureKey)))
  app.get('/counts', (context) => answer(context, views.counts(viewOf(context))))
  app.get('/samples', async (context) => answer(context, await views.samples(viewOf(context))))
  app.get('/sample', async (context) => answer(context, await views.sample(viewOf(context))))
  app.get('/rejects', async (context) => {
    const { stage, reason, search } = viewOf(context)
    const from = Number(context.req.query('from') ?? 0)
    const isKnown = stage !== null && dataset.funnel.some((one) => one.stage === stage)
    if (!isKnown || !Number.isSafeInteger(from) || from < 0) return answer(context, undefined)
    return answer(context, await rejects.read({ stage, reason, search, from }))
  })
  return app
}

const viewOf = (context: Context) => readView(new URL(context.req.url).search)

function answer(context: Context, value: unknown): Response {
  if (value !== undefined) return context.json(value as never, 200, withoutStore)
  const error = 'There is no such thing in the dataset.'
  return context.json({ error } satisfies ErrorAnswer, 404, withoutStore)
}

function datasetAnswer(dataset: Inspected, pictureKey: string): DatasetAnswer {
  const { name, url, pictures, shards, layers, funnel } = dataset
  return {
    ...{ name, url, pictures, shards: shards.length },
    layers: layers.map(({ name, kind, rules, thresholdRule, threshold, isExact, note }) => ({
      ...{ name, kind, rules, thresholdRule, threshold, isExact, note },
    })),
    ...{ funnel, pictureKey },
  }
}
