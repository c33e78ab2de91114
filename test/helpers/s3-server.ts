import { utimes } from 'node:fs/promises'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { temporaryFolder } from './temporary-folder.js'

interface S3rver {
  run(): Promise<AddressInfo>
  close(): Promise<void>
}
// It has no types.
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver

interface Fault {
  times: number
  readonly matches: RegExp
  readonly how: number | 'break' | 'lose'
}

/** What a test asks of the server. */
export interface S3Server {
  /** Address of a prefix in the bucket. */
  url(prefix: string): string
  /** Requests as they came: method and path. */
  readonly requests: string[]
  /** Answers the next requests that match with a status, breaks their answers off, or does them and says nothing. */
  fail(times: number, matches: RegExp, how: Fault['how']): void
  /** Whether puts with conditions are done; refused with 501 otherwise, as by stores that have none. */
  setConditional(isConditional: boolean): void
  /** Has an object be last written so long ago, in milliseconds. */
  setAge(key: string, age: number): Promise<void>
}

/**
 * An S3-compatible server on loopback: s3rver, with a proxy before it for what s3rver leaves out. Through the
 * proxy an object is written or read in one instant, whoever asks; a put with If-None-Match or If-Match is
 * refused where there is the object, or another one (as S3 does since 2024); lists are cut into pages of three;
 * and it fails when it is told to.
 */
export async function s3Server(): Promise<S3Server> {
  const directory = await temporaryFolder()
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: 'bucket' }],
  })
  const { port } = await server.run()
  const requests: string[] = []
  const faults: Fault[] = []
  const objectsInUse = new Map<string, Promise<void>>()
  let isConditional = true

  /** Requests of one object one after the other: s3rver writes its bytes and its ETag in two steps. */
  function inTurn(path: string, work: () => Promise<void>) {
    const done = (objectsInUse.get(path) ?? Promise.resolve()).then(work)
    objectsInUse.set(path, done)
    done.finally(() => {
      if (objectsInUse.get(path) === done) objectsInUse.delete(path)
    })
  }

  /** The status with which a put with conditions is refused, if it is. */
  async function refusalOf({ headers, url }: IncomingMessage): Promise<number | undefined> {
    const { 'if-none-match': ifNone, 'if-match': ifMatch } = headers
    if (ifNone === undefined && ifMatch === undefined) return undefined
    if (!isConditional) return 501
    const etag = await new Promise<string | undefined>((resolve, reject) => {
      const outgoing = request({
        host: '127.0.0.1',
        port,
        method: 'HEAD',
        path: url,
        headers: signedAs(headers),
      })
      outgoing.on('response', (answer) => {
        answer.resume()
        resolve(answer.statusCode === 200 ? answer.headers.etag : undefined)
      })
      outgoing.on('error', reject).end()
    })
    if (ifNone !== undefined) return etag === undefined ? undefined : 412
    if (etag === undefined) return 404
    return etag === ifMatch ? undefined : 412
  }

  const forward = (incoming: IncomingMessage, response: ServerResponse, how?: Fault['how']) =>
    new Promise<void>((resolve) => {
      const { method, headers } = incoming
      const url = new URL(incoming.url as string, 'http://host')
      const isList = url.searchParams.has('list-type')
      const from = Number(url.searchParams.get('continuation-token') ?? 0)
      const delimiter = url.searchParams.get('delimiter')
      for (const name of ['continuation-token', 'delimiter']) url.searchParams.delete(name)
      const path = isList ? url.pathname + url.search : (incoming.url as string)
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
        const status = answer.statusCode ?? 500
        if (isList) {
          let text = ''
          answer.setEncoding('utf8').on('data', (part) => {
            text += part
          })
          answer.on('end', () =>
            response
              .writeHead(status)
              .end(pageOf(text, from, url.searchParams.get('prefix') ?? '', delimiter)),
          )
        } else if (how !== 'lose') response.writeHead(status, answer.headers)
        if (how === 'lose') {
          answer.resume().on('end', () => response.destroy())
        } else if (how === 'break') {
          answer.once('data', (chunk: Buffer) => {
            response.write(chunk.subarray(0, chunk.length >> 1))
            setTimeout(() => response.destroy(), 20)
          })
        } else if (!isList) answer.pipe(response)
        answer.on('end', resolve)
        // Who asked may want no more of it.
        response.on('close', () => answer.destroy())
        answer.on('close', () => resolve())
        answer.on('error', () => resolve())
      })
      outgoing.on('error', () => {
        response.destroy()
        resolve()
      })
      incoming.pipe(outgoing)
    })

  const proxy = createServer((incoming, response) => {
    const line = `${incoming.method} ${incoming.url}`
    requests.push(line)
    const fault = faults.find(({ times, matches }) => times > 0 && matches.test(line))
    if (fault) fault.times--
    if (typeof fault?.how === 'number') {
      incoming.resume().on('end', () => response.writeHead(fault.how as number).end())
      return
    }
    const { pathname } = new URL(incoming.url as string, 'http://host')
    inTurn(pathname, async () => {
      const refusal = incoming.method === 'PUT' ? await refusalOf(incoming) : undefined
      if (refusal === undefined) await forward(incoming, response, fault?.how)
      else {
        incoming.resume()
        response.writeHead(refusal).end()
      }
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  afterAll(async () => {
    proxy.closeAllConnections()
    proxy.close()
    await server.close()
  })
  process.env.AWS_ACCESS_KEY_ID = 'S3RVER'
  process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER'
  const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  return {
    url: (prefix) => `s3://bucket/${prefix}?endpoint=${endpoint}`,
    requests,
    setConditional: (isSet) => {
      isConditional = isSet
    },
    async setAge(key, age) {
      const written = (Date.now() - age) / 1000
      await utimes(join(directory, 'bucket', `${key}._S3rver_object`), written, written)
    },
    fail: (times, matches, how) => void faults.push({ times, matches, how }),
  }
}

/** What a request says of who asks, without what it says of a body. */
const signedAs = ({ authorization, host, ...headers }: IncomingHttpHeaders) => ({
  authorization,
  host,
  'x-amz-date': headers['x-amz-date'],
  'x-amz-content-sha256': headers['x-amz-content-sha256'],
})

/**
 * Three keys of a list, and where the next ones begin: s3rver fails where it should cut a list. It does not see
 * folders that have nothing but folders either, so that it is not asked for any.
 */
function pageOf(text: string, from: number, prefix: string, delimiter: string | null): string {
  const folders = new Set<string>()
  const keys = (text.match(/<Contents>.*?<\/Contents>/gs) ?? []).filter((content) => {
    const below = (/<Key>(.*?)<\/Key>/s.exec(content)?.[1] ?? '').slice(prefix.length)
    const end = delimiter === null ? -1 : below.indexOf(delimiter)
    if (end >= 0) folders.add(`${prefix}${below.slice(0, end + 1)}`)
    return end < 0
  })
  const page = keys.slice(from, from + 3).join('')
  const rest = text.replace(/<Contents>.*?<\/Contents>/gs, '')
  const isLast = from + 3 >= keys.length
  const token = isLast ? '' : `<NextContinuationToken>${from + 3}</NextContinuationToken>`
  const common = [...folders].map((folder) => `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`)
  return rest.replace(
    /<IsTruncated>\w+<\/IsTruncated>/,
    `<IsTruncated>${!isLast}</IsTruncated>${token}${page}${isLast ? common.join('') : ''}`,
  )
}
