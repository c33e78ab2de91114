import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Client } from 'undici'

/** The session of a connection, which undici keeps under a symbol of its own. */
function sessionOf(client: Client): ClientHttp2Session | undefined {
  const symbol = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === 'http2Session',
  )
  return symbol && (client as unknown as Record<symbol, ClientHttp2Session | undefined>)[symbol]
}

/**
 * Has an answer fail that its server breaks off with RST_STREAM, whatever the code is. With NO_ERROR and
 * CANCEL node ends such a stream as if it were whole, and so does undici, which leaves half a picture.
 *
 * @param client that has just connected, over HTTP/2
 */
export function failResetStreams(client: Client): void {
  const session = sessionOf(client)
  if (!session) return
  const request = session.request.bind(session)
  session.request = (...asked) => {
    const stream = request(...asked)
    watch(stream)
    return stream
  }
}

/** The end of a whole answer comes while the stream is open; that of a broken one when it has closed. */
function watch(stream: ClientHttp2Stream) {
  const push = stream.push.bind(stream)
  let hasEnded = false
  stream.push = (chunk, encoding) => {
    if (chunk === null && !hasEnded && stream.closed) {
      hasEnded = true
      const error = new Error(`the server reset the stream (code ${stream.rstCode ?? 0})`)
      // Who calls goes on with the stream.
      process.nextTick(() => stream.destroy(error))
      return false
    }
    if (chunk === null) hasEnded = true
    return push(chunk, encoding)
  }
}
