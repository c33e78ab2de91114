import { Worker } from 'node:worker_threads'
import { ownCores } from '../base/own-cores.js'
import { UserError } from '../base/user-error.js'
import { type Device, executionProviders } from './device.js'
import { fromHalf, toHalf } from './half.js'
import type { InferenceSession } from './onnxruntime.js'
import { sessionSettings, type Value } from './session.js'

export interface PoolOptions {
  /** One session for each, in their order; one on the CPU by default. */
  readonly devices?: readonly Device[]
  /** Threads inside one operator; by default the processor's cores, shared out among the sessions. */
  readonly threads?: number
  /** Whether this program wrote the model; see `sessionSettings`. */
  readonly ownGraph?: boolean
}

/** A model that is not in a file, over weights that are. */
export interface GraphOverWeights {
  readonly graph: Uint8Array
  /** The folder in which the graph's files of weights lie. */
  readonly folder: string
  /** What it is called where it cannot be loaded. */
  readonly name: string
}

/** An input or output as the file declares it. */
export interface Port {
  readonly name: string
  /** A string where the size is left open. */
  readonly shape: readonly (number | string)[]
  readonly dtype: string
}

/**
 * Sessions of one model, each in a thread of its own: pictures are prepared while the model runs, and as many
 * runs go at once as there are sessions. Holds native memory until `close`; each session has its own copy of
 * the weights.
 */
export class SessionPool {
  private readonly idle: SessionWorker[]
  private readonly waiting: ((worker: SessionWorker) => void)[] = []

  private constructor(
    private readonly workers: readonly SessionWorker[],
    readonly inputs: readonly Port[],
    readonly outputs: readonly Port[],
  ) {
    this.idle = [...workers]
  }

  /**
   * @param model a path, beside which weights may lie in files, or a graph over such files
   * @throws UserError where onnxruntime cannot load it
   */
  static async open(
    model: string | GraphOverWeights,
    { devices = ['cpu'], threads = 0, ownGraph = false }: PoolOptions = {},
  ): Promise<SessionPool> {
    const coresEach = devices.length > 1 ? Math.max(1, Math.floor(ownCores() / devices.length)) : 0
    const settings = settingsOf(model, sessionSettings(threads || coresEach, ownGraph))
    const [source, name] = typeof model === 'string' ? [model, model] : [model.graph, model.name]
    const workers = devices.map((device) => new SessionWorker(source, device, settings))
    try {
      const [metadata] = await Promise.all(workers.map((worker) => worker.opened))
      if (!metadata) throw new Error('there is no device to run it on')
      return new SessionPool(workers, metadata.inputs.map(portOf), metadata.outputs.map(portOf))
    } catch (error) {
      await Promise.all(workers.map((worker) => worker.close()))
      throw new UserError(`onnxruntime cannot load ${name}: ${(error as Error).message}`)
    }
  }

  /** Runs that can go at once. */
  get size(): number {
    return this.workers.length
  }

  /** The declared input of a name, if the model has it. */
  input(name: string): Port | undefined {
    return this.inputs.find((port) => port.name === name)
  }

  /**
   * Runs the model in a session that is idle. The feeds are handed over: their arrays are empty afterwards.
   * Float32 values become float16 where the model wants these, and results come back as float32.
   */
  async run(feeds: Readonly<Record<string, Value>>): Promise<Record<string, Value>> {
    const messages = Object.entries(feeds).map(([name, value]) => {
      const isHalf = value.data instanceof Float32Array && this.input(name)?.dtype === 'float16'
      return isHalf
        ? { name, shape: value.shape, dtype: 'float16', data: toHalf(value.data as Float32Array) }
        : { name, ...value }
    })
    const worker =
      this.idle.pop() ?? (await new Promise<SessionWorker>((resolve) => this.waiting.push(resolve)))
    try {
      const results = await worker.run(messages)
      return Object.fromEntries(
        results.map(({ name, dtype, data, shape }) => [
          name,
          dtype === 'float16'
            ? { data: fromHalf(data as Uint16Array), shape, dtype: 'float32' }
            : ({ data, shape, dtype } as Value),
        ]),
      )
    } finally {
      const next = this.waiting.shift()
      if (next) next(worker)
      else this.idle.push(worker)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close()))
  }
}

/** A named value on its way to a worker or from it. */
interface Message {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: Value['data'] | Uint16Array
}

/** What a loaded model declares. */
interface ModelMetadata {
  readonly inputs: readonly InferenceSession.ValueMetadata[]
  readonly outputs: readonly InferenceSession.ValueMetadata[]
}

/** One thread with its session, which answers one message at a time. */
class SessionWorker {
  readonly opened: Promise<ModelMetadata>
  private readonly worker: Worker
  private settle: { resolve(value: never): void; reject(error: Error): void } | undefined
  private failure: Error | undefined

  constructor(model: string | Uint8Array, device: Device, options: InferenceSession.SessionOptions) {
    const settings = { ...options, executionProviders: executionProviders(device) }
    this.worker = new Worker(new URL('./session-worker.js', import.meta.url), {
      workerData: { model, settings },
    })
    this.worker.on('message', (message) => this.answer(message))
    this.worker.on('error', (error) => this.fail(error))
    this.worker.on('exit', () => this.fail(new Error('the session has been closed')))
    this.opened = this.next<ModelMetadata>()
  }

  async run(feeds: readonly Message[]): Promise<readonly Message[]> {
    if (this.failure) throw this.failure
    const buffers = new Set(feeds.map(({ data }) => data.buffer as ArrayBuffer))
    const answer = this.next<{ results: readonly Message[] }>()
    this.worker.postMessage(feeds, [...buffers])
    return (await answer).results
  }

  async close(): Promise<void> {
    if (this.failure) return
    this.worker.ref()
    const ended = new Promise((resolve) => this.worker.once('exit', resolve))
    this.worker.postMessage('close')
    await ended
  }

  /** The next answer. While none is awaited, an idle thread does not keep the program alive. */
  private next<T>(): Promise<T> {
    this.worker.ref()
    return new Promise<T>((resolve, reject) => {
      this.settle = { resolve, reject }
    })
  }

  private answer(message: { readonly error?: string }): void {
    const { settle } = this
    this.settle = undefined
    this.worker.unref()
    if (message.error === undefined) settle?.resolve(message as never)
    else settle?.reject(new Error(message.error))
  }

  private fail(error: Error): void {
    this.failure = error
    this.settle?.reject(error)
    this.settle = undefined
  }
}

/** A graph in memory has to be told where its weights lie. */
function settingsOf(
  model: string | GraphOverWeights,
  settings: InferenceSession.SessionOptions,
): InferenceSession.SessionOptions {
  if (typeof model === 'string') return settings
  const { session, ...extra } = (settings.extra ?? {}) as { readonly session?: object }
  const weights = { model_external_initializers_file_folder_path: model.folder }
  return { ...settings, extra: { ...extra, session: { ...session, ...weights } } }
}

function portOf(meta: InferenceSession.ValueMetadata): Port {
  return { name: meta.name, shape: meta.isTensor ? meta.shape : [], dtype: meta.isTensor ? meta.type : '' }
}
