import { sharedCores } from '../base/own-cores.js'
import { type Device, executionProviders } from './device.js'
import type { HeldValue } from './held-value.js'
import { InferenceSession, Tensor as OrtTensor } from './onnxruntime.js'
import { type Dtype, type Shape, sizeOf, type TensorData } from './ops/tensor.js'
import { loadError, sessionError } from './session-error.js'
import { barrier } from './to-onnx.js'

export interface Value {
  readonly data: TensorData
  readonly shape: Shape
  readonly dtype: Dtype
}

export interface SessionOptions {
  /** Threads inside one operator; onnxruntime's own choice when not given. */
  readonly threads?: number
  /** `cpu` by default. */
  readonly device?: Device
  /** Whether this program wrote the model; see `sessionSettings`. */
  readonly ownGraph?: boolean
}

/**
 * What every session of this program is opened with.
 *
 * @param ownGraph whether this program wrote the graph: such graphs have no Conv. At its highest level
 * onnxruntime tries out the layouts of convolutions, which takes minutes in a graph of tens of thousands of
 * nodes.
 */
export function sessionSettings(threads: number, ownGraph: boolean): InferenceSession.SessionOptions {
  return {
    graphOptimizationLevel: ownGraph ? 'extended' : 'all',
    intraOpNumThreads: threads || (sharedCores() ?? 0),
    logSeverityLevel: 3,
    // Moments of parameters that get no gradient fade into denormals, which are a hundred times slower.
    extra: { session: { set_denormal_as_zero: '1' } },
  }
}

/** What errors call a graph that is no file. */
export const unnamedGraph = 'a graph of this program'

/** What onnxruntime-node ends a run with that has come as far as to hand over a sequence. */
export const atBarrier = 'Non tensor type is temporarily not supported.'

/** An input or a result of a graph; the shape of what is no tensor is empty. */
export interface SessionPort {
  readonly name: string
  readonly shape: Shape
}

/** A model that onnxruntime has loaded. Holds native memory until `close`. */
export class Session {
  private constructor(
    private readonly session: InferenceSession,
    private readonly name: string,
  ) {}

  /**
   * @param model the bytes of a model, or the path of one (needed where weights lie in a file beside it)
   * @throws Error as `loadError` has it
   */
  static async open(model: Uint8Array | string, options: SessionOptions = {}): Promise<Session> {
    const settings: InferenceSession.SessionOptions = {
      ...sessionSettings(options.threads ?? 0, options.ownGraph ?? false),
      executionProviders: executionProviders(options.device ?? 'cpu'),
    }
    // The two overloads are told apart by type only.
    const opened =
      typeof model === 'string'
        ? InferenceSession.create(model, settings)
        : InferenceSession.create(model, settings)
    const name = typeof model === 'string' ? model : unnamedGraph
    const session = await opened.catch((error: unknown) => {
      throw loadError(name, error)
    })
    return new Session(session, name)
  }

  get inputs(): readonly SessionPort[] {
    return shapesOf(this.session.inputMetadata)
  }

  /** Its results. */
  get outputs(): readonly SessionPort[] {
    return shapesOf(this.session.outputMetadata).filter(({ name }) => name !== barrier)
  }

  /**
   * Runs the model. Inputs are not copied on the CPU, and to another device once in each run where they are not
   * held there; a result is written into `into[name]` where that is given, else into new memory. Where all of them
   * are given and the graph has a `barrier`, the results are those of `into`; else they are copied.
   *
   * @throws Error that names the model, and says so where it was refused memory
   */
  async run(
    feeds: Readonly<Record<string, Value | HeldValue>>,
    into: Readonly<Record<string, Value>> = {},
  ): Promise<Readonly<Record<string, Value>>> {
    const names = this.session.outputNames.filter((name) => name !== barrier)
    const isBarred = names.length < this.session.outputNames.length && names.every((name) => into[name])
    const fetches: Record<string, OrtTensor | null> = isBarred ? { [barrier]: null } : {}
    for (const name of names) fetches[name] = into[name] ? toOrt(into[name]) : null
    const inputs: Record<string, OrtTensor> = {}
    for (const [name, value] of Object.entries(feeds))
      inputs[name] = 'tensor' in value ? value.tensor : toOrt(value)
    const results = await this.session.run(inputs, fetches).catch((error: Error) => {
      if (isBarred && error.message === atBarrier) return undefined
      throw sessionError(this.name, error)
    })
    if (isBarred || !results) return into
    const values: Record<string, Value> = {}
    for (const [name, tensor] of Object.entries(results)) {
      values[name] = { data: tensor.data as TensorData, shape: tensor.dims, dtype: tensor.type as Dtype }
    }
    return values
  }

  async close(): Promise<void> {
    await this.session.release()
  }
}

const shapesOf = (metadata: InferenceSession['inputMetadata']): SessionPort[] =>
  metadata.map((meta) => ({ name: meta.name, shape: meta.isTensor ? meta.shape.map(Number) : [] }))

/** A value as onnxruntime takes it, over the same memory. */
export function toOrt({ data, shape, dtype }: Value): OrtTensor {
  return new OrtTensor(dtype, data as Float32Array, shape)
}

/** A float32 value for `Session.run`. */
export function floats(data: Float32Array | readonly number[], shape: Shape): Value {
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), shape, dtype: 'float32' }
}

/** A float32 value of zeros, to be written into. */
export const zeros = (shape: Shape): Value => floats(new Float32Array(sizeOf(shape)), shape)

/** An int64 value for `Session.run`. */
export function longs(data: BigInt64Array | readonly number[], shape: Shape): Value {
  const array = data instanceof BigInt64Array ? data : BigInt64Array.from(data, (value) => BigInt(value))
  return { data: array, shape, dtype: 'int64' }
}

/** A value by its name. Throws an Error where there is none. */
export function valueNamed<V = Value>(values: Readonly<Record<string, V>>, name: string): V {
  const value = values[name]
  if (!value) throw new Error(`there is no value for "${name}"`)
  return value
}

/** One sample of a float32 value whose first axis counts samples: a view, not a copy. */
export function sampleOf({ data, shape }: Value, sample: number): Float32Array {
  const size = sizeOf(shape.slice(1))
  return (data as Float32Array).subarray(sample * size, (sample + 1) * size)
}
