import { Worker } from 'node:worker_threads'
import { type Device, executionProviders } from './device.js'
import type { InferenceSession } from './onnxruntime.js'

/** What a loaded model declares. */
export interface ModelMetadata {
  readonly inputs: readonly InferenceSession.ValueMetadata[]
  readonly outputs: readonly InferenceSession.ValueMetadata[]
}

const closed = 'the session has been closed'

/** One thread with its session, which answers one message at a time. */
export class SessionThread {
  readonly opened: Promise<ModelMetadata>
  private readonly worker: Worker
  private settle: { resolve(value: never): void; reject(error: Error): void } | undefined
  private failure: Error | undefined
  private ended: Promise<void> | undefined

  constructor(model: string | Uint8Array, device: Device, options: InferenceSession.SessionOptions) {
    const settings = { ...options, executionProviders: executionProviders(device) }
    this.worker = new Worker(new URL('./session-worker.js', import.meta.url), {
      workerData: { model, settings },
    })
    this.worker.on('message', (message) => this.answer(message))
    this.worker.on('error', (error) => this.fail(error))
    this.worker.on('exit', (code) =>
      this.fail(new Error(this.ended ? closed : `its thread has ended (exit code ${code})`)),
    )
    this.opened = this.next<ModelMetadata>()
    // Of several that are opened at once the first that fails is heard.
    this.opened.catch(() => {})
  }

  /** Whether the thread is no more. */
  get isGone(): boolean {
    return this.failure !== undefined
  }

  /**
   * The answer to a message, as `session-worker.js` reads and gives them.
   *
   * @param handed memory that goes over to the thread
   * @throws Error in onnxruntime's words, or where the thread is no more
   */
  async ask<Answer>(message: object | string, handed: readonly ArrayBuffer[] = []): Promise<Answer> {
    if (this.ended) throw new Error(closed)
    if (this.failure) throw this.failure
    const answer = this.next<Answer>()
    this.worker.postMessage(message, handed)
    return answer
  }

  /** Ends the thread when it has answered, and waits for that. */
  close(): Promise<void> {
    this.ended ??= new Promise((resolve) => {
      if (this.failure) return resolve()
      this.worker.ref()
      this.worker.once('exit', () => resolve())
      this.worker.postMessage('close')
    })
    return this.ended
  }

  /**
   * The next answer. While none is awaited, and the end is not either, an idle thread does not keep the program
   * alive.
   */
  private next<T>(): Promise<T> {
    this.worker.ref()
    return new Promise<T>((resolve, reject) => {
      this.settle = { resolve, reject }
    })
  }

  private answer(message: { readonly error?: string }): void {
    const { settle } = this
    this.settle = undefined
    if (!this.ended) this.worker.unref()
    if (message.error === undefined) settle?.resolve(message as never)
    else settle?.reject(new Error(message.error))
  }

  private fail(error: Error): void {
    // An error comes before the end of the thread, and says more.
    this.failure ??= error
    this.settle?.reject(error)
    this.settle = undefined
  }
}
