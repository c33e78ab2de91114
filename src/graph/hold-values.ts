import { type Device, executionProviders } from './device.js'
import { HeldValue } from './held-value.js'
import { InferenceSession } from './onnxruntime.js'
import { input, op, type Shape } from './ops/tensor.js'
import { sessionSettings, toOrt, type Value } from './session.js'
import { loadError, sessionError } from './session-error.js'
import { toOnnx } from './to-onnx.js'

/**
 * What puts float32 values of some shapes into the memory of a device. Holds native memory until `close`; what it has
 * put there lies in memory of its session and is released before, or the process dies of it.
 */
export interface Holder {
  /** Copies values, one for each shape that it was opened for. */
  hold(values: Readonly<Record<string, Value>>): Promise<Record<string, HeldValue>>
  close(): Promise<void>
}

/**
 * Whether values can be held on a device for sessions of this process. onnxruntime-node 1.30 keeps a result in the
 * memory of WebGPU alone: those of CUDA it copies back, and it has no word for feeding one that lies there.
 */
export const canHold = (device: Device): boolean => device === 'webgpu'

/**
 * Values are held as results of a graph that gives what it gets: onnxruntime-node has no other way to put one on a
 * device, and none to write into one that is there.
 *
 * @param shapes by name
 */
export async function openHolder(shapes: Readonly<Record<string, Shape>>, device: Device): Promise<Holder> {
  const name = 'a graph that holds values'
  const names = Object.keys(shapes)
  if (names.length === 0) return { hold: async () => ({}), close: async () => {} }
  const outputs = Object.fromEntries(
    names.map((name) => {
      const shape = shapes[name]!
      return [heldName(name), op('Identity', [input(name, shape)], shape)]
    }),
  )
  const session = await InferenceSession.create(toOnnx({ outputs }), {
    ...sessionSettings(0, true),
    executionProviders: executionProviders(device),
    preferredOutputLocation: 'gpu-buffer',
  }).catch((error: unknown) => {
    throw loadError(name, error)
  })
  return {
    async hold(values) {
      const feeds = Object.fromEntries(names.map((name) => [name, toOrt(values[name]!)]))
      const results = await session.run(feeds).catch((error: unknown) => {
        throw sessionError(name, error)
      })
      return Object.fromEntries(names.map((name) => [name, new HeldValue(results[heldName(name)]!)]))
    },
    close: () => session.release(),
  }
}

const heldName = (name: string): string => `held.${name}`
