import { type Dtype, type Shape, sizeOf, type TensorData } from './ops/tensor.js'
import { atBarrier, sessionSettings, unnamedGraph, type Value } from './session.js'
import { loadError, sessionError } from './session-error.js'
import { SessionThread } from './session-thread.js'
import { barrier } from './to-onnx.js'

/**
 * A session on the CPU in a thread of its own, whose inputs and results stay where they are, in memory that both
 * threads see: for graphs that run often and fast on many values, which would take longer to hand over. The thread
 * copies them, since onnxruntime-node takes no shared memory. Holds native memory until `close`.
 */
export class BoundSession {
  private constructor(
    private readonly thread: SessionThread,
    /** What the next run is fed. */
    readonly feeds: Readonly<Record<string, Value>>,
    /** What the last run has made. */
    readonly results: Readonly<Record<string, Value>>,
  ) {}

  /**
   * @param model of this program, which has a `barrier`
   * @param bound shared memory of some of its inputs and results; of the others there is new memory
   * @param threads inside one operator
   * @throws Error as `loadError` has it
   */
  static async open(
    model: Uint8Array,
    bound: Readonly<Record<string, Value>>,
    threads: number,
  ): Promise<BoundSession> {
    const thread = new SessionThread(model, 'cpu', sessionSettings(threads, true))
    try {
      const { inputs, outputs } = await thread.opened
      const values = (ports: typeof inputs) =>
        Object.fromEntries(
          ports.flatMap((port) =>
            port.isTensor
              ? [[port.name, bound[port.name] ?? sharedValue(port.type as Dtype, port.shape.map(Number))]]
              : [],
          ),
        )
      const [feeds, results] = [values(inputs), values(outputs)]
      await thread.ask({ bind: { feeds, into: { [barrier]: null, ...results } } })
      return new BoundSession(thread, feeds, results)
    } catch (error) {
      await thread.close()
      throw loadError(unnamedGraph, error)
    }
  }

  /** @throws Error that says so where the session was refused memory */
  async run(): Promise<void> {
    await this.thread.ask('run').catch((error: Error) => {
      if (error.message !== atBarrier) throw sessionError(unnamedGraph, error)
    })
  }

  close(): Promise<void> {
    return this.thread.close()
  }
}

/** A value of zeros in memory that several threads see. */
export function sharedValue(dtype: Dtype, shape: Shape): Value {
  const memory = (elementBytes: number) => new SharedArrayBuffer(sizeOf(shape) * elementBytes)
  const data = {
    float32: () => new Float32Array(memory(4)),
    int32: () => new Int32Array(memory(4)),
    int64: () => new BigInt64Array(memory(8)),
    bool: () => new Uint8Array(memory(1)),
    uint8: () => new Uint8Array(memory(1)),
  }[dtype]() as TensorData
  return { data, shape, dtype }
}
