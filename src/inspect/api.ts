import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { UserError } from '../base/user-error.js'
import { isSecret } from './guard.js'
import { type Inspected, rowOf } from './index/layer.js'
import type { Readers } from './open-readers.js'
import { checkReviewer, type Reviewing } from './reviewing.js'
import type {
  DatasetAnswer,
  ErrorAnswer,
  ReviewSettings,
  SelectionAnswer,
  SelectionQuestion,
} from './view/answers.js'
import { queueOrders } from './view/review-answers.js'
import { readView } from './view/view.js'

/** Answers of the dataset are not kept by the browser. */
export const withoutStore = { 'cache-control': 'no-store' }

/**
 * What the page asks of a dataset, given only for the token.
 *
 * @param pictureKey the secret in the addresses of pictures
 */
export function api(
  dataset: Inspected,
  { views, rejects, selections, reviewing }: Pick<Readers, 'views' | 'rejects' | 'selections' | 'reviewing'>,
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
  app.get('/dataset', async (context) =>
    answer(context, datasetAnswer(dataset, pictureKey, await selections.list(), reviewing?.settings ?? null)),
  )
  app.get('/counts', async (context) => answer(context, await views.counts(viewOf(context))))
  app.get('/samples', async (context) => answer(context, await views.samples(viewOf(context))))
  app.get('/sample', async (context) => answer(context, await views.sample(viewOf(context))))
  app.get('/rejects', async (context) => {
    const { stage, reason, search } = viewOf(context)
    const from = Number(context.req.query('from') ?? 0)
    const isKnown = stage !== null && dataset.funnel.some((one) => one.stage === stage)
    if (!isKnown || !Number.isSafeInteger(from) || from < 0) return answer(context, undefined)
    return answer(context, await rejects.read({ stage, reason, search, from }))
  })
  app.post('/selections/:name', bodyLimit({ maxSize: mostBody, onError: tooLarge }), async (context) => {
    const { ids, replace = false } = await questionOf(context)
    const places = ids
      ? ids.flatMap((id) => rowOf(dataset.shards, id) ?? [])
      : await views.matches(viewOf(context))
    const name = context.req.param('name')
    if (await selections.save(name, new Set(places), replace)) return answer(context, await selections.list())
    const error = `There is a selection "${name}" already.`
    return context.json({ error } satisfies ErrorAnswer, 409, withoutStore)
  })
  if (reviewing) app.route('/', reviewRoutes(reviewing))
  return app
}

/** What is asked and told of a review. */
function reviewRoutes(reviewing: Reviewing): Hono {
  const app = new Hono()
  const asked = (context: Context) => {
    const { reviewer } = reviewing.settings
    return {
      reviewer: checkReviewer(context.req.query('reviewer') ?? reviewer),
      order: queueOrders.find((order) => order === context.req.query('order')) ?? 'doubt',
    }
  }
  app.get('/review/queue', async (context) => {
    const seed = Number(context.req.query('seed') ?? 1)
    const order = { ...asked(context), seed: Number.isSafeInteger(seed) ? seed : 1 }
    return answer(context, await reviewing.queue(viewOf(context), order))
  })
  app.get('/review/picture', async (context) => {
    const withOthers = context.req.query('others') === '1'
    return answer(context, await reviewing.picture(viewOf(context), { ...asked(context), withOthers }))
  })
  app.post('/reviews', bodyLimit({ maxSize: mostReview, onError: tooLarge }), async (context) =>
    answer(context, await reviewing.write(await context.req.json().catch(() => null))),
  )
  return app
}

function tooLarge(context: Context): Response {
  const error = 'The question is too large: tick fewer pictures, or store all that match a filter.'
  return context.json({ error } satisfies ErrorAnswer, 413, withoutStore)
}

/** Bytes of a question that is sent with a body, and the most pictures that it names. */
const mostBody = 4e6
const mostIds = 100_000
/** Bytes of a part of a review. */
const mostReview = 256e3

const questionSchema = z.strictObject({
  ids: z.array(z.string().max(200)).max(mostIds).optional(),
  replace: z.boolean().optional(),
})

async function questionOf(context: Context): Promise<SelectionQuestion> {
  const parsed = questionSchema.safeParse(await context.req.json().catch(() => null))
  if (parsed.success) return parsed.data
  throw new UserError('A selection is asked for with `ids`, a list of pictures, and `replace`.')
}

const viewOf = (context: Context) => readView(new URL(context.req.url).search)

function answer(context: Context, value: unknown): Response {
  if (value !== undefined) return context.json(value as never, 200, withoutStore)
  const error = 'There is no such thing in the dataset.'
  return context.json({ error } satisfies ErrorAnswer, 404, withoutStore)
}

function datasetAnswer(
  dataset: Inspected,
  pictureKey: string,
  selections: readonly SelectionAnswer[],
  review: ReviewSettings | null,
): DatasetAnswer {
  const { name, url, pictures, shards, layers, funnel } = dataset
  return {
    ...{ name, url, pictures, shards: shards.length },
    layers: layers.map(({ name, kind, rules, thresholdRule, threshold, isExact, note, ...layer }) => ({
      ...{ name, kind, rules, thresholdRule, threshold, isExact, note },
      ...{ isByCategory: layer.isByCategory, showsDropped: layer.dropped !== null },
    })),
    ...{ funnel, pictureKey, selections, review },
  }
}
