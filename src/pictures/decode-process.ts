import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import pLimit from 'p-limit'
import type { Metadata } from 'sharp'
import type { FromDecoder, ToDecoder } from './decode-messages.js'
import type { DecodeWork } from './decode-work.js'
import { PictureError } from './picture-error.js'

/** Each decodes one picture at a time. */
const processes = pLimit(Math.min(availableParallelism(), 4))
/** Those that have nothing to do, and end after a while. */
const idle: Decoder[] = []
const idleMs = 10_000
/** Seconds of the processor that a picture may take: one of 100 megapixels takes a few. */
const mostSeconds = 20
/** It watches its own time of the processor; this is for one that is stopped, or on a machine that stands. */
const stuckMs = 300_000

/**
 * Does work on a picture in a process of its own, which ends itself where the picture takes too long or more
 * memory than it may, and with this process whatever it is at.
 *
 * @param allow is told what the header says, and how many bytes of memory it may take; it may throw
 * @param seconds of the processor that it may take
 * @throws PictureError `decode_timeout`, `too_much_memory`, and as the work does
 */
export function decodeInProcess<Options, Result>(
  { module, name }: DecodeWork<Options, Result>,
  bytes: Uint8Array,
  options: Options,
  allow: (metadata: Metadata) => Promise<number>,
  seconds = mostSeconds,
): Promise<Result> {
  return processes(async () => {
    const decoder = idle.pop() ?? new Decoder()
    try {
      const { metadata } = await decoder.ask('opened', { kind: 'open', bytes, seconds })
      const memory = await allow(metadata)
      const { result } = await decoder.ask('decoded', { kind: 'decode', module, name, options, memory })
      return result as Result
    } finally {
      decoder.rest()
    }
  })
}

type Answer<Kind> = Extract<FromDecoder, { kind: Kind }>

/** A process that decodes. While it is asked nothing it does not keep this one alive. */
class Decoder {
  private readonly child: ChildProcess
  private settle: { resolve(answer: FromDecoder): void; reject(error: Error): void } | undefined
  private end: Error | undefined
  private idleTimer: NodeJS.Timeout | undefined

  constructor() {
    // Sources that are not compiled are run by tsx.
    const isSource = import.meta.url.endsWith('.ts')
    const file = fileURLToPath(new URL(isSource ? 'decode-child.ts' : 'decode-child.js', import.meta.url))
    this.child = fork(file, {
      serialization: 'advanced',
      // What a library writes to standard output is nothing of what this program prints.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      ...(isSource && { execArgv: ['--import', 'tsx'] }),
    })
    this.child.on('message', (message: FromDecoder) => this.answer(message))
    this.child.once('error', (error) => this.fail(error))
    this.child.once('exit', (code, signal) => this.fail(this.end ?? endOf(code, signal)))
  }

  async ask<Kind extends FromDecoder['kind']>(kind: Kind, message: ToDecoder): Promise<Answer<Kind>> {
    if (this.end) throw this.end
    clearTimeout(this.idleTimer)
    this.child.ref()
    this.child.channel?.ref()
    const stuck = setTimeout(() => {
      this.end = new PictureError('decode_timeout', `not decoded after ${stuckMs / 1000} seconds`)
      this.child.kill('SIGKILL')
    }, stuckMs)
    try {
      const answer = await new Promise<FromDecoder>((resolve, reject) => {
        this.settle = { resolve, reject }
        // Where it cannot be sent the process is gone, which is told of elsewhere.
        this.child.send(message, () => {})
      })
      if (answer.kind === 'failed') {
        const { message, reason } = answer
        throw reason === undefined ? new Error(message) : new PictureError(reason, message)
      }
      if (answer.kind !== kind) throw new Error(`a decoder answered ${answer.kind}`)
      return answer as Answer<Kind>
    } finally {
      clearTimeout(stuck)
    }
  }

  /** Has nothing to do, until it is asked again. */
  rest(): void {
    if (this.end) return
    this.child.unref()
    this.child.channel?.unref()
    idle.push(this)
    this.idleTimer = setTimeout(() => this.stop(), idleMs).unref()
  }

  private stop(): void {
    this.end ??= new Error('the decoder was stopped')
    idle.splice(idle.indexOf(this), 1)
    this.child.kill('SIGKILL')
  }

  private answer(message: FromDecoder): void {
    // What it is asked ends with it.
    if (message.kind === 'over') this.end = new PictureError(message.reason, message.message)
    else this.settle?.resolve(message)
  }

  private fail(error: Error): void {
    this.end = error
    const at = idle.indexOf(this)
    if (at !== -1) idle.splice(at, 1)
    this.settle?.reject(error)
  }
}

/** One that ended by itself has met a fault of a decoder; one that was killed took more than there is. */
function endOf(code: number | null, signal: NodeJS.Signals | null): Error {
  if (signal === 'SIGKILL')
    return new PictureError('too_much_memory', 'its decoder was killed, most often for want of memory')
  return new Error(`its decoder ended with ${signal ?? `code ${code}`}`)
}
