import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import { Agent, request } from 'undici'
import { plainText } from '../../base/plain-text.js'
import { UserError } from '../../base/user-error.js'
import { readBody } from '../../ingest/fetch/read-body.js'
import { isTransientStatus, retryAfter } from '../../ingest/fetch/transient.js'

/** A part of a message: words, or a picture as a JPEG. */
export type ChatPart = { readonly text: string } | { readonly jpeg: Uint8Array }

export interface ChatMessage {
  readonly role: 'user' | 'assistant'
  readonly parts: readonly ChatPart[]
}

export interface ChatAnswer {
  readonly text: string
  /** Whether it was cut off at `max_tokens`. */
  readonly isCut: boolean
  /** Requests that were answered, and tokens as the server counts them. */
  readonly counts: Readonly<Record<'requests' | 'prompt_tokens' | 'completion_tokens', number>>
}

export interface ChatConfig {
  /** Base address, such as `http://localhost:8000/v1`. */
  readonly url: string
  readonly model: string
  /** Sent with each request, and told to nobody else. */
  readonly key?: string | undefined
  /** Requests a minute; any number where not given. */
  readonly rate?: number | undefined
  /** Requests at once. */
  readonly parallel: number
  /** Tries after the first of what may pass. */
  readonly retries: number
  /** Seconds for a request. */
  readonly timeout: number
  readonly max_tokens: number
  readonly temperature: number
}

/** A model behind a server that speaks as OpenAI's chat completions do. */
export interface Chat {
  /**
   * @param schema JSON Schema of the answer, for servers that keep a model to one
   * @throws UserError where the server wants another key or address or has no such model; `RefusedRequest` where it
   * takes no such request; Error where it does not answer now
   */
  ask(messages: readonly ChatMessage[], schema: object, signal?: AbortSignal): Promise<ChatAnswer>
  close(): Promise<void>
}

/** The server takes requests, and not this one: a text that is too long, a picture that it cannot read. */
export class RefusedRequest extends Error {}

/** A failure that may pass. */
class Later extends Error {
  constructor(
    message: string,
    /** Milliseconds that the server asks to wait. */
    readonly wait?: number,
  ) {
    super(message)
  }
}

/** How a server is told which form an answer has: the first that it takes is kept to. */
const forms = ['json_schema', 'json_object', 'text'] as const
const mostBytes = 2 ** 20
const basePause = 500
/** Who asks for a longer wait is not asked again. */
const longestPause = 120_000
/** Questions that a server may refuse before it has answered any. */
const mostRefused = 5
/** Characters of a server's own message that are shown. */
const longestMessage = 300

/** Opens connections when they are needed; holds them until it is closed. */
export function openChat(config: ChatConfig): Chat {
  const agent = new Agent({ connections: config.parallel })
  const closed = new AbortController()
  const limit = pLimit(config.parallel)
  const place = `${config.url.replace(/\/+$/, '')}/chat/completions`
  const gap = config.rate === undefined ? 0 : 60_000 / config.rate
  let form = 0
  let hasAnswered = false
  let refused = 0
  /** When the next request may begin. */
  let next = 0

  const turn = async (signal: AbortSignal) => {
    const now = performance.now()
    const at = Math.max(now, next)
    next = at + gap
    if (at > now) await delay(at - now, undefined, { signal })
  }

  async function send(body: object, outer: AbortSignal): Promise<unknown> {
    await turn(outer)
    return within(config.timeout, outer, async (signal) => {
      const {
        statusCode,
        headers,
        body: answer,
      } = await request(place, {
        ...{ method: 'POST', dispatcher: agent, signal, body: JSON.stringify(body) },
        headers: {
          ...{ 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'groundmill' },
          ...(config.key !== undefined && { authorization: `Bearer ${config.key}` }),
        },
      })
      const bytes = await readBody(answer, headers, place, mostBytes).catch((error: Error) => {
        // An answer of a refusal may be empty.
        if (statusCode >= 400) return new Uint8Array()
        throw new Later(error.message)
      })
      const text = new TextDecoder().decode(bytes)
      if (statusCode >= 200 && statusCode < 300) return parsed(text, place, config.key)
      throw refusal(config, statusCode, messageOf(text, config.key), retryAfter(headers['retry-after']))
    })
  }

  /** Sends a request until it is answered; what may pass is tried again. */
  async function sendPatiently(body: object, signal: AbortSignal): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await send(body, signal)
      } catch (error) {
        signal.throwIfAborted()
        const failure = asFailure(error, place)
        if (!(failure instanceof Later)) throw failure
        const pause = failure.wait ?? Math.random() * Math.min(longestPause, basePause * 2 ** attempt)
        if (attempt >= config.retries || pause > longestPause)
          throw new Error(
            `${failure.message}${attempt > 0 ? `, ${attempt + 1} times in a row` : ''}${pause > longestPause ? `; it asks to wait ${Math.round(pause / 1000)} s` : ''}. What was answered is kept: run it again.`,
          )
        // Whom it asks to wait are all.
        if (failure.wait !== undefined) next = Math.max(next, performance.now() + failure.wait)
        else await delay(pause, undefined, { signal })
      }
    }
  }

  async function ask(messages: readonly ChatMessage[], schema: object, signal: AbortSignal) {
    const { model, max_tokens, temperature } = config
    const body = { model, messages: messages.map(wireMessage), max_tokens, temperature, stream: false }
    for (let at = form; ; at++) {
      const name = forms[at] as (typeof forms)[number]
      const formed = name === 'text' ? {} : { response_format: formatOf(name, schema) }
      try {
        const answer = answerOf(await sendPatiently({ ...body, ...formed }, signal), place)
        form = Math.max(form, at)
        hasAnswered = true
        return answer
      } catch (error) {
        if (!(error instanceof RefusedRequest)) throw error
        if (at + 1 < forms.length) continue
        if (hasAnswered || ++refused < mostRefused) throw error
        throw new UserError(
          `${error.message} It has answered none of ${refused} questions: is ${model} a model that sees pictures?`,
        )
      }
    }
  }

  return {
    ask: (messages, schema, signal) =>
      limit(() => eitherSignal(closed.signal, signal, (either) => ask(messages, schema, either))),
    async close() {
      closed.abort(new Error('the judge was closed'))
      await agent.destroy()
    },
  }
}

/**
 * Asks a server for its models, to know whether it is there and takes the key.
 *
 * @throws UserError where it is not, or does not
 */
export async function checkServer(config: Pick<ChatConfig, 'url' | 'model' | 'key'>): Promise<void> {
  const agent = new Agent({ connections: 1 })
  const place = `${config.url.replace(/\/+$/, '')}/models`
  try {
    const { statusCode, body } = await request(place, {
      ...{ dispatcher: agent, signal: AbortSignal.timeout(10_000) },
      headers: {
        'user-agent': 'groundmill',
        ...(config.key !== undefined && { authorization: `Bearer ${config.key}` }),
      },
    })
    await body.dump()
    // Not every server lists its models.
    if (statusCode === 401 || statusCode === 403) throw refusal(config, statusCode, '', undefined)
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(
      `No server answers at ${config.url} (${reasonOf(error)}): start it, or name another url.`,
    )
  } finally {
    await agent.destroy()
  }
}

/** What a status that is no success means. */
function refusal(
  { url, model, key }: Pick<ChatConfig, 'url' | 'model' | 'key'>,
  status: number,
  message: string,
  wait: number | undefined,
): Error {
  const said = message ? ` (${message})` : ''
  if (status === 401 || status === 403)
    return new UserError(
      `${url} answers ${status}: ${key === undefined ? 'it wants a key; name the environment variable that holds it as key_env' : 'it does not take the key that key_env names'}.`,
    )
  if (status === 404 || status === 405)
    return new UserError(
      `${url} answers ${status}${said}: url must be the base address, such as http://localhost:8000/v1, and ${JSON.stringify(model)} a model that the server has.`,
    )
  if (status >= 300 && status < 400)
    return new UserError(
      `${url} sends elsewhere (${status}), where nothing is sent: give the address it means as url.`,
    )
  if (isTransientStatus(status)) return new Later(`${url} answered ${status}${said}`, wait)
  if (status === 402) return new UserError(`${url} answers 402${said}: it wants to be paid first.`)
  return new RefusedRequest(`${url} answered ${status}${said}.`)
}

/** What a server says of an error, without the key, on one line. */
function messageOf(text: string, key: string | undefined): string {
  let said: unknown = text
  try {
    const { error, message, detail } = Object(JSON.parse(text)) as Readonly<Record<string, unknown>>
    said = Object(error).message ?? error ?? message ?? detail ?? text
  } catch {
    // A page of words then.
  }
  return withoutKey(typeof said === 'string' ? said : JSON.stringify(said), key).slice(0, longestMessage)
}

/** A server's words on one line without the key, should it send it back. */
export const withoutKey = (text: string, key: string | undefined): string =>
  plainText((key ? text.replaceAll(key, '***') : text).replace(/\s+/g, ' ').trim())

function parsed(text: string, place: string, key: string | undefined): unknown {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Later(`${place} answered no JSON`)
  }
  // Some servers that stand before others tell of their failures so.
  const { choices, error } = Object(answer) as Readonly<Record<string, unknown>>
  if (choices === undefined && error) throw new Later(`${place} answered: ${messageOf(text, key)}`)
  return answer
}

function answerOf(answer: unknown, place: string): ChatAnswer {
  const { choices, usage } = Object(answer) as Readonly<Record<string, unknown>>
  const [choice] = Array.isArray(choices) ? choices : []
  if (!choice)
    throw new UserError(`${place} answered without choices: it is no server of OpenAI's chat completions.`)
  const { content, refusal: refused } = Object(choice.message) as Readonly<Record<string, unknown>>
  const parts = Array.isArray(content) ? content.map((part) => Object(part).text).join('') : content
  const text = typeof parts === 'string' ? parts : typeof refused === 'string' ? refused : ''
  const count = (name: string) => {
    const value = Object(usage)[name]
    return Number.isSafeInteger(value) && value > 0 ? value : 0
  }
  return {
    ...{ text, isCut: choice.finish_reason === 'length' },
    counts: {
      requests: 1,
      prompt_tokens: count('prompt_tokens'),
      completion_tokens: count('completion_tokens'),
    },
  }
}

const formatOf = (name: 'json_schema' | 'json_object', schema: object) =>
  name === 'json_object'
    ? { type: name }
    : { type: name, json_schema: { name: 'judgement', strict: true, schema } }

const wireMessage = ({ role, parts }: ChatMessage) => ({
  role,
  content: parts.map((part) =>
    'text' in part
      ? { type: 'text', text: part.text }
      : {
          type: 'image_url',
          image_url: { url: `data:image/jpeg;base64,${Buffer.from(part.jpeg).toString('base64')}` },
        },
  ),
})

/** A failure of the connection may pass. */
function asFailure(error: unknown, place: string): Error {
  if (error instanceof Later || error instanceof UserError || error instanceof RefusedRequest) return error
  return new Later(`${place} does not answer (${reasonOf(error)})`)
}

function reasonOf(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException
  return code ?? (name === 'TimeoutError' ? 'it took over 10 s' : message)
}

/** Runs work with a signal that aborts with either of two, and leaves no listener on them. */
async function eitherSignal<T>(
  one: AbortSignal,
  other: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController()
  const signals = [one, ...(other ? [other] : [])]
  const stop = () => abort.abort(signals.find(({ aborted }) => aborted)?.reason)
  for (const signal of signals) {
    if (signal.aborted) abort.abort(signal.reason)
    signal.addEventListener('abort', stop)
  }
  try {
    abort.signal.throwIfAborted()
    return await work(abort.signal)
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', stop)
  }
}

/** Aborts work after some seconds, with a failure that may pass. */
async function within<T>(
  seconds: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const time = new AbortController()
  const late = new Later(`no answer came within ${seconds} s`)
  const timer = setTimeout(() => time.abort(late), seconds * 1000)
  try {
    return await eitherSignal(outer, time.signal, work)
  } catch (error) {
    throw time.signal.aborted && !outer.aborted ? late : error
  } finally {
    clearTimeout(timer)
  }
}
