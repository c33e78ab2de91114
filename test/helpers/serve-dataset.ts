import { request } from 'node:http'
import { build } from 'vite'
import { afterAll } from 'vitest'
import { openInspected } from '../../src/cli/inspect.js'
import type { ReviewOptions } from '../../src/inspect/reviewing.js'
import { type ServedInspect, serveInspect } from '../../src/inspect/serve-inspect.js'
import type { CountsAnswer } from '../../src/inspect/view/answers.js'
import { madeOnce } from './made-once.js'

/** The page as `npm run build` makes it. */
export const buildPage = madeOnce('page', async (outDir) => {
  await build({ configFile: 'vite.config.ts', build: { outDir }, logLevel: 'error' })
})

export interface ServedDataset extends ServedInspect {
  readonly origin: string
  /** What the API answers to the token; throws where that is an error. */
  api<T>(path: string): Promise<T>
  /** Waits until the index of a view is whole. */
  whole(query?: string): Promise<CountsAnswer>
}

/** Serves a dataset as `groundmill inspect` does, until the tests of the file are done. */
export async function serveDataset(
  url: string,
  page: string,
  review?: ReviewOptions,
): Promise<ServedDataset> {
  const { dataset, missing } = await openInspected(url)
  if (missing.length > 0) throw new Error(missing.join('; '))
  const server = await serveInspect(dataset, { page, ...(review && { review }) })
  afterAll(() => server.close())
  const origin = `http://127.0.0.1:${server.port}`
  const api = async <T>(path: string): Promise<T> => {
    const response = await fetch(origin + path, { headers: { authorization: `Bearer ${server.token}` } })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  return {
    ...server,
    origin,
    api,
    async whole(query = '') {
      for (;;) {
        const counts = await api<CountsAnswer>(`/api/counts?${query}`)
        if (counts.index.isWhole) return counts
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** A request whose path and headers are sent just as they are given. */
export function rawRequest(
  port: number,
  path: string,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, ...options }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
}
