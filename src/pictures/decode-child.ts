/** The process that decodes what is not decoded beside everything else: see `decodeInProcess`. */
import sharp, { type Metadata } from 'sharp'
import { killSelf } from '../base/kill-self.js'
import type { FromDecoder, ToDecoder } from './decode-messages.js'
import type { DecodeWork } from './decode-work.js'
import { PictureError } from './picture-error.js'
import { readMetadata } from './read-metadata.js'

/** How often it is looked at what it has taken. */
const lookMs = 20
/** What a header may take. */
const headerMemory = 100_000_000
/** What the estimates of memory leave out: the allocator's, and that of the libraries themselves. */
const spare = 200_000_000

let opened: { readonly bytes: Uint8Array; readonly metadata: Metadata } | undefined
/** Seconds of the processor that the picture may take. */
let mostSeconds = 0
/** Microseconds of the processor that the picture has taken before what is being done with it now. */
let taken = 0
sharp.cache(false)

process.on('message', (message: ToDecoder) => void answer(message))
// The terminal sends its Ctrl-C to all: the parent decides what becomes of the work.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
// The thread that decodes is not waited for.
process.on('disconnect', () => killSelf('SIGKILL'))

const send = (message: FromDecoder) => process.send?.(message)

async function answer(message: ToDecoder): Promise<void> {
  if (message.kind === 'open') {
    mostSeconds = message.seconds
    taken = 0
  }
  const stop = watch(message.kind === 'open' ? headerMemory + 4 * message.bytes.length : message.memory)
  try {
    if (message.kind === 'open') {
      opened = undefined
      const metadata = await readMetadata(message.bytes)
      opened = { bytes: message.bytes, metadata }
      send({ kind: 'opened', metadata })
    } else {
      if (!opened) throw new Error('no picture was opened')
      const {
        [message.name]: work,
      }: Record<string, DecodeWork<unknown, unknown>> = await import(message.module)
      if (!work) throw new Error(`${message.module} has no ${message.name}`)
      const result = await work.run(opened.bytes, opened.metadata, message.options)
      opened = undefined
      send({ kind: 'decoded', result })
    }
  } catch (error) {
    const { message } = error as Error
    send({ kind: 'failed', message, ...(error instanceof PictureError && { reason: error.reason }) })
  } finally {
    stop()
  }
}

/** Watches what this process takes from now on, and ends it where it is too much. */
function watch(memory: number): () => void {
  const before = process.cpuUsage()
  const resident = process.memoryUsage.rss()
  const seconds = () => {
    const { user, system } = process.cpuUsage(before)
    return (taken + user + system) / 1e6
  }
  const timer = setInterval(() => {
    if (seconds() > mostSeconds)
      end('decode_timeout', `more than ${mostSeconds} seconds of the processor to decode it`)
    else if (process.memoryUsage.rss() - resident > memory + spare)
      end('too_much_memory', 'more memory to decode it than a picture of its size takes')
  }, lookMs)
  return () => {
    clearInterval(timer)
    taken = 1e6 * seconds()
  }
}

function end(reason: string, message: string): void {
  process.send?.({ kind: 'over', reason, message } satisfies FromDecoder, () => killSelf('SIGKILL'))
}
