import { ownCores } from '../base/own-cores.js'
import type { Device } from './device.js'
import { fromHalf, toHalf } from './half.js'
import type { InferenceSession } from './onnxruntime.js'
import { sessionSettings, type Value } from './session.js'
import { loadError, sessionError } from './session-error.js'
import { SessionThread } from './session-thread.js'

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
 * the weights. A thread that dies fails the run that it had, and is replaced for the next one.
 */
export class SessionPool {
  private readonly idle: Seat[]
  private readonly waiting: ((seat: Seat) => void)[] = []
  private isClosed = false

  private constructor(
    private readonly seats: readonly Seat[],
    private readonly name: string,
    readonly inputs: readonly Port[],
    readonly outputs: readonly Port[],
  ) {
    this.idle = [...seats]
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
    const seats = devices.map((device): Seat => {
      const start = () => new SessionThread(source, device, settings)
      return { worker: start(), start }
    })
    try {
      const [metadata] = await Promise.all(seats.map(({ worker }) => worker.opened))
      if (!metadata) throw new Error('there is no device to run it on')
      return new SessionPool(seats, name, metadata.inputs.map(portOf), metadata.outputs.map(portOf))
    } catch (error) {
      await Promise.all(seats.map(({ worker }) => worker.close()))
      throw loadError(name, error)
    }
  }

  /** Runs that can go at once. */
  get size(): number {
    return this.seats.length
  }

  /** The declared input of a name, if the model has it. */
  input(name: string): Port | undefined {
    return this.inputs.find((port) => port.name === name)
  }

  /**
   * Runs the model in a session that is idle. The feeds are handed over: their arrays are empty afterwards.
   * Float32 values become float16 where the model wants these, and results come back as float32.
   *
   * @param wanted names of the results that come back; all of them where not given
   * @throws Error that names the model, and says so where it was refused memory
   */
  async run(
    feeds: Readonly<Record<string, Value>>,
    wanted?: readonly string[],
  ): Promise<Record<string, Value>> {
    const messages = Object.entries(feeds).map(([name, value]) => {
      const isHalf = value.data instanceof Float32Array && this.input(name)?.dtype === 'float16'
      return isHalf
        ? { name, shape: value.shape, dtype: 'float16', data: toHalf(value.data as Float32Array) }
        : { name, ...value }
    })
    const seat = this.idle.pop() ?? (await new Promise<Seat>((resolve) => this.waiting.push(resolve)))
    try {
      const results = await this.runIn(seat, messages, wanted)
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
      if (next) next(seat)
      else this.idle.push(seat)
    }
  }

  async close(): Promise<void> {
    this.isClosed = true
    await Promise.all(this.seats.map(({ worker }) => worker.close()))
  }

  private async runIn(
    seat: Seat,
    messages: readonly Message[],
    wanted?: readonly string[],
  ): Promise<readonly Message[]> {
    try {
      if (seat.worker.isGone && !this.isClosed) {
        seat.worker = seat.start()
        await seat.worker.opened
      }
      const buffers = new Set(messages.map(({ data }) => data.buffer as ArrayBuffer))
      const run = { feeds: messages, wanted }
      return (await seat.worker.ask<{ results: readonly Message[] }>(run, [...buffers])).results
    } catch (error) {
      throw sessionError(this.name, error)
    }
  }
}

/** The place of a session in its pool, whose thread may be another after one has died. */
interface Seat {
  worker: SessionThread
  readonly start: () => SessionThread
}

/** A named value on its way to a worker or from it. */
interface Message {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: Value['data'] | Uint16Array
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
