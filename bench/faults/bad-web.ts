/**
 * The servers that bench/faults/crawl-bad-web.ts crawls, in a process of its own. Prints the ports as JSON; on
 * a message it answers with the rows whose picture was sent whole, and ends when its parent does.
 *
 *     tsx bench/faults/bad-web.ts [KEY CERTIFICATE]
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { addressOfHost, type BadHost, goodHosts, type KindName } from './bad-web-script.js'

const [, , keyFile, certificateFile] = process.argv
const pictures = await Promise.all(
  Array.from({ length: 40 }, (_, index) =>
    sharp({
      create: {
        ...{ width: 80 + 4 * index, height: 60 + 3 * index, channels: 3, background: '#000' },
        noise: { type: 'gaussian', mean: 128, sigma: 20 },
      },
    })
      .jpeg({ quality: 80 })
      .toBuffer(),
  ),
)
const pictureOf = (row: number) => pictures[row % pictures.length]!
const bomb = gzipSync(Buffer.alloc(30_000_000))
const html = Buffer.from('<!doctype html><title>Sold</title><p>This domain is for sale.')
/** A PNG whose header says 60,000 times 60,000. */
const huge = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#123' } })
  .png()
  .toBuffer()
huge.writeUInt32BE(60_000, 16)
huge.writeUInt32BE(60_000, 20)

/** Rows of which a whole picture was handed to the system: who ends at once may have it before that is told. */
const given = new Set<number>()
const visits = new Map<string, number>()
const jpeg = { 'content-type': 'image/jpeg' }

function give(response: ServerResponse, row: number): void {
  const bytes = pictureOf(row)
  response.writeHead(200, { ...jpeg, 'content-length': bytes.length }).end(bytes)
  given.add(row)
}

type Answer = (response: ServerResponse, row: number, request: IncomingMessage) => void

const once =
  (first: Answer): Answer =>
  (response, row, request) => {
    const path = request.url ?? ''
    const visit = visits.get(path) ?? 0
    visits.set(path, visit + 1)
    if (visit === 0) first(response, row, request)
    else give(response, row)
  }

const busy: Answer = (response) => void response.writeHead(503).end('busy')
const reset: Answer = (response) => void response.socket?.resetAndDestroy()
const cut: Answer = (response, row) => {
  const bytes = pictureOf(row)
  response.writeHead(200, { ...jpeg, 'content-length': bytes.length })
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy())
}
const status =
  (code: number): Answer =>
  (response) =>
    void response.writeHead(code).end('no')
const redirect =
  (to: (row: number) => string): Answer =>
  (response, row) =>
    void response.writeHead(302, { location: to(row) }).end()
const sent =
  (bytes: (row: number) => Buffer, headers: Readonly<Record<string, string>> = {}): Answer =>
  (response, row) => {
    const body = bytes(row)
    response.writeHead(200, { ...jpeg, 'content-length': String(body.length), ...headers }).end(body)
  }

/** Sends a body in parts, with a pause between, and says when all are sent. */
function inParts(
  response: ServerResponse,
  parts: readonly Uint8Array[],
  pauseMs: number,
  whenSent = () => {},
): void {
  const timer = setInterval(send, pauseMs)
  response.on('close', () => clearInterval(timer))
  let next = 0
  function send() {
    const part = parts[next++]
    if (!part) return void response.end()
    response.write(part)
    if (next === parts.length) whenSent()
  }
}

const answers: Readonly<Record<KindName | 'to', Answer>> = {
  good: give,
  to: give,
  slowly: (response, row) => {
    const bytes = pictureOf(row)
    const step = Math.ceil(bytes.length / 5)
    response.writeHead(200, { ...jpeg, 'content-length': bytes.length })
    inParts(
      response,
      Array.from({ length: 5 }, (_, part) => bytes.subarray(part * step, (part + 1) * step)),
      60,
      () => given.add(row),
    )
  },
  busyOnce: once(busy),
  resetOnce: once(reset),
  cutOnce: once(cut),
  moved: redirect((row) => `/to/${row}.jpg`),
  busy,
  reset,
  cut,
  drip: (response, row) => {
    const bytes = pictureOf(row)
    response.writeHead(200, { ...jpeg, 'content-length': bytes.length })
    inParts(
      response,
      Array.from(bytes, (byte) => Uint8Array.of(byte)),
      300,
    )
  },
  noHttp: (response) => void response.socket?.end('220 ready\r\n'),
  circle: redirect((row) => `/circle/${row}.jpg`),
  inward: redirect(() => 'http://10.0.0.1/secret.jpg'),
  gone: status(404),
  forbidden: status(403),
  html: sent(() => html),
  empty: sent(() => Buffer.alloc(0)),
  halfPicture: sent((row) => pictureOf(row).subarray(0, pictureOf(row).length >> 1)),
  bomb: sent(() => bomb, { 'content-encoding': 'gzip' }),
  endless: (response) => {
    response.writeHead(200, jpeg)
    const more = () => {
      while (response.write(Buffer.alloc(65_536, 7)));
    }
    response.on('drain', more)
    more()
  },
  huge: sent(() => huge, { 'content-type': 'image/png' }),
  optOut: sent(pictureOf, { 'x-robots-tag': 'noai' }),
  disallowed: give,
}

const rules = 'User-agent: *\nDisallow: /disallowed/\n'

/** @param robots how robots.txt is answered */
const listener =
  (robots: (response: ServerResponse) => void): RequestListener =>
  (request, response) => {
    response.on('error', () => {})
    const [, kind, row] = /^\/(\w+)\/(\d+)\.jpg$/.exec(request.url ?? '') ?? []
    if (request.url === '/robots.txt') robots(response)
    else if (kind && kind in answers) answers[kind as KindName](response, Number(row), request)
    else response.writeHead(404).end('no such page')
  }

const plainRobots = (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'text/plain' }).end(rules)

function listen(host: number | BadHost, robots = plainRobots): Promise<number> {
  const server = createServer(listener(robots))
  return new Promise((resolve) => {
    server.listen(0, addressOfHost(host), () => resolve((server.address() as AddressInfo).port))
  })
}

/** Servers of HTTP/2; `resets` says of which visits the stream is ended in its body. */
function listenHttp2(host: BadHost, resets: (visit: number) => boolean): Promise<number> {
  if (!keyFile || !certificateFile) return Promise.resolve(0)
  const server = createSecureServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const path = String(headers[':path'])
    const row = Number(/(\d+)\.jpg$/.exec(path)?.[1] ?? Number.NaN)
    if (Number.isNaN(row)) {
      stream.respond({ ':status': 404 }, { endStream: true })
      return
    }
    const visit = visits.get(host + path) ?? 0
    visits.set(host + path, visit + 1)
    const bytes = pictureOf(row)
    stream.respond({ ':status': 200, ...jpeg, 'content-length': bytes.length })
    if (resets(visit)) stream.write(bytes.subarray(0, bytes.length >> 1), () => stream.close(2))
    else {
      stream.end(bytes)
      given.add(row)
    }
  })
  return new Promise((resolve) => {
    server.listen(0, addressOfHost(host), () => resolve((server.address() as AddressInfo).port))
  })
}

/** A socket that is gone is the matter of who asked. */
process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
  if (!/^(ECONNRESET|EPIPE|ERR_STREAM|ERR_HTTP2)/.test(error.code ?? '')) throw error
})

let robotsAsked = 0
const ports: Record<string, number> = {
  /** Nothing listens on the first port. */
  dead: 1,
  slowRobots: await listen('slowRobots', (response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    inParts(
      response,
      Array.from(Buffer.from(rules), (byte) => Uint8Array.of(byte)),
      1000,
    )
  }),
  laterRobots: await listen('laterRobots', (response) => {
    if (robotsAsked++ < 2) response.writeHead(503).end('busy')
    else plainRobots(response)
  }),
  http2: await listenHttp2('http2', () => false),
  http2ResetOnce: await listenHttp2('http2ResetOnce', (visit) => visit === 0),
  http2Reset: await listenHttp2('http2Reset', () => true),
}
for (let host = 0; host < goodHosts; host++) ports[host] = await listen(host)
process.on('message', () => process.send?.({ given: [...given] }))
process.on('disconnect', () => process.exit())
process.send?.({ ports })
