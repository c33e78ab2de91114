import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UserError } from '../base/user-error.js'
import type { InferenceSession } from './onnxruntime.js'
import { add } from './ops/elementwise.js'
import { input } from './ops/tensor.js'
import { wordsOfOnnxruntime } from './session-error.js'
import { toOnnx } from './to-onnx.js'

/** Where a session runs. `cuda:1` is the second NVIDIA card. */
export type Device = 'cpu' | 'webgpu' | 'cuda' | `cuda:${number}`
export type DeviceChoice = Device | 'auto'

/** What onnxruntime calls the devices, as a session's option. */
export function executionProviders(device: Device): InferenceSession.ExecutionProviderConfig[] {
  const card = /^cuda:(\d+)$/.exec(device)?.[1]
  return [card === undefined ? device : { name: 'cuda', deviceId: Number(card) }]
}

/** Whether a graph for a device is written out of operators that WebGPU has (`portable` of `toOnnx`). */
export const needsPortable = (device: Device): boolean => device === 'webgpu'

const known = new Map<Device, Promise<string | undefined>>()

/**
 * The device that a choice means: `auto` is the first of cuda, webgpu and cpu that is there. A device counts
 * as there when it has run a session.
 *
 * @throws UserError where the chosen device is not there, with what would bring it
 */
export async function resolveDevice(choice: DeviceChoice): Promise<Device> {
  if (choice === 'auto') {
    for (const device of ['cuda', 'webgpu'] as const) if ((await missing(device)) === undefined) return device
    return 'cpu'
  }
  const cause = await missing(choice)
  if (cause !== undefined) throw new UserError(`Device ${choice} is not there: ${cause} ${remedy(choice)}`)
  return choice
}

function remedy(device: Device): string {
  if (device === 'webgpu')
    return 'It needs a GPU with a Vulkan driver (or Metal, or Direct3D 12). Use device: cpu, or auto for what there is.'
  return 'It needs an NVIDIA GPU with its driver, CUDA 12 and cuDNN 9, and their part of onnxruntime: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node. Use device: cpu, or auto for what there is.'
}

/** Why a device is not there; undefined where it is. */
function missing(device: Device): Promise<string | undefined> {
  if (device === 'cpu') return Promise.resolve(undefined)
  let answer = known.get(device)
  if (!answer) {
    answer =
      device === 'webgpu' || hasCudaLibrary()
        ? probe(device)
        : Promise.resolve('onnxruntime came without CUDA.')
    known.set(device, answer)
  }
  return answer
}

/**
 * Asking onnxruntime for a provider that was never installed prints an error that a user of `auto` need not
 * see.
 */
function hasCudaLibrary(): boolean {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node')
  const folder = join(dirname(main), '../bin/napi-v6', process.platform, process.arch)
  return ['libonnxruntime_providers_cuda.so', 'onnxruntime_providers_cuda.dll'].some((name) =>
    existsSync(join(folder, name)),
  )
}

/** A driver that takes longer than this, in milliseconds, is none to work with. */
const longestProbe = 60_000

/** Runs a session in a process of its own (`probe-device.js`). */
async function probe(device: Device): Promise<string | undefined> {
  const x = input('x', [1])
  const model = Buffer.from(toOnnx({ outputs: { y: add(x, x) } })).toString('base64')
  const script = fileURLToPath(new URL('./probe-device.js', import.meta.url))
  const args = [script, JSON.stringify(executionProviders(device)[0]), model]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: longestProbe }, (error, why) => {
      if (/adapter/i.test(why)) resolve('no GPU was found that it can use.')
      else if (why !== '')
        resolve(`${wordsOfOnnxruntime(why.trim().split('\n').at(-1) ?? '').replace(/\.$/, '')}.`)
      else resolve(error ? 'Its driver ended the program that tried it.' : undefined)
    })
  })
}
