import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
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

/** What a test asks of the server. */
export interface S3Server {
  /** Address of a prefix in the bucket. */
  url(prefix: string): string
  /** Requests as they came: method and path. */
  readonly requests: string[]
  /** Answers the next requests that match with a status, or breaks their answers off. */
  fail(times: number, matches: RegExp, how: number | 'break'): void
}

/**
 * An S3-compatible server on loopback: s3rver, with a proxy before it for what s3rver leaves out. The proxy
 * refuses a put with If-None-Match where there is the object (as S3 does since 2024), cuts lists into pages
 * of three, and fails when it is told to.
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
  const faults: { times: number; matches: RegExp; how: number | 'break' }[] = []
  let puts: Promise<void> = Promise.resolve()

  const forward = (incoming: IncomingMessage, response: ServerResponse, isBroken: boolean) =>
    new Promise<void>((resolve) => {
      const { method, headers } = incoming
      const url = new URL(incoming.url as string, 'http://host')
      const isList = url.searchParams.has('list-type')
      const from = Number(url.searchParams.get('continuation-token') ?? 0)
      url.searchParams.delete('continuation-token')
      const path = isList ? url.pathname + url.search : (incoming.url as string)
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
        const status = answer.statusCode ?? 500
        if (isList) {
          let text = ''
          answer.setEncoding('utf8').on('data', (part) => {
            text += part
          })
          answer.on('end', () => response.writeHead(status).end(pageOf(text, from)))
        } else response.writeHead(status, answer.headers)
        if (isBroken) {
          answer.once('data', (chunk: Buffer) => {
            response.write(chunk.subarray(0, chunk.length >> 1))
            setTimeout(() => response.destroy(), 20)
          })
        } else if (!isList) answer.pipe(response)
        answer.on('end', resolve)
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
    if (!incoming.headers['if-none-match']) {
      forward(incoming, response, fault !== undefined)
      return
    }
    // One after the other: of two at once, one must see the other.
    puts = puts.then(async () => {
      const name = decodeURIComponent(new URL(incoming.url as string, 'http://host').pathname)
      if (existsSync(join(directory, `${name}._S3rver_object`))) {
        incoming.resume()
        response.writeHead(412).end()
      } else await forward(incoming, response, false)
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
    fail: (times, matches, how) => void faults.push({ times, matches, how }),
  }
}

/** Three keys of a list, and where the next ones begin: s3rver fails where it should cut a list. */
function pageOf(text: string, from: number): string {
  const keys = text.match(/<Contents>.*?<\/Contents>/gs) ?? []
  const page = keys.slice(from, from + 3).join('')
  const rest = text.replace(/<Contents>.*?<\/Contents>/gs, '')
  const isLast = from + 3 >= keys.length
  const token = isLast ? '' : `<NextContinuationToken>${from + 3}</NextContinuationToken>`
  return rest.replace(
    /<IsTruncated>\w+<\/IsTruncated>/,
    `<IsTruncated>${!isLast}</IsTruncated>${token}${page}`,
  )
}
