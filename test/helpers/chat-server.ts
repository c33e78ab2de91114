import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

/** What a server was sent. */
export interface ChatRequest {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: {
    readonly model: string
    readonly response_format?: { readonly type: string }
    readonly messages: readonly {
      readonly role: string
      readonly content: readonly { readonly text?: string; readonly image_url?: { readonly url: string } }[]
    }[]
  }
}

/** What it answers: words of the model, or a status with a body and headers; nothing at all where undefined. */
export type ChatReply =
  | string
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }
  | undefined

/** A server on loopback that speaks as OpenAI's chat completions do, closed behind the tests of the file. */
export async function chatServer(reply: (request: ChatRequest, count: number) => ChatReply) {
  const requests: ChatRequest[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { url = '', headers } = request
      if (request.method === 'GET') {
        response.setHeader('content-type', 'application/json').end('{"data":[]}')
        return
      }
      const sent = { url, headers, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) }
      requests.push(sent)
      const answer = reply(sent, requests.length)
      if (answer === undefined) return
      const { status, body, headers: own = {} } = typeof answer === 'string' ? said(answer) : answer
      for (const [name, value] of Object.entries(own)) response.setHeader(name, value)
      response.statusCode = status
      response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests }
}

const said = (content: string) => ({
  status: 200,
  body: {
    choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 7 },
  },
  headers: { 'content-type': 'application/json' },
})

/** A judgement as a model writes it: every box as `right` says. */
export const judgement = (right: readonly boolean[], phrase: object = {}): string =>
  JSON.stringify({
    boxes: right.map((one, at) => ({ number: at + 1, right: one, confidence: 0.8 })),
    phrase: { visible: true, complete: true, confidence: 0.6, ...phrase },
  })

/** How many boxes a question has. */
export const boxesIn = ({ body }: ChatRequest): number =>
  (/^Boxes: (.*)$/m.exec(body.messages[0]?.content[0]?.text ?? '')?.[1]?.match(/"number"/g) ?? []).length
