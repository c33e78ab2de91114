import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Device, executionProviders } from '../../src/graph/device.js'
import { InferenceSession } from '../../src/graph/onnxruntime.js'
import { sessionSettings, toOrt, type Value } from '../../src/graph/session.js'
import type { GraphOverWeights } from '../../src/graph/session-pool.js'

/** What one run of a model does on another device than the one that it was opened for. */
export interface DeviceProfile {
  /** How many nodes run on the CPU, by their operator. */
  readonly onCpu: Readonly<Record<string, number>>
  /** Copies of results on the device to the CPU, for nodes there: the device waits for each. */
  readonly copiesDown: number
  /** Copies of results on the CPU to the device. */
  readonly copiesUp: number
}

/**
 * Runs a model once more, and reads of onnxruntime's profile where its nodes ran.
 *
 * @param scratch a folder for what is written meanwhile
 */
export async function deviceProfile(
  model: string | Uint8Array | GraphOverWeights,
  feeds: Readonly<Record<string, Value>>,
  device: Device,
  ownGraph: boolean,
  scratch: string,
): Promise<DeviceProfile> {
  const folder = await mkdtemp(join(scratch, 'profile-'))
  const session = await openFor(model, device, ownGraph, {
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
  })
  await session.run(Object.fromEntries(session.inputNames.map((name) => [name, toOrt(feeds[name]!)])))
  session.endProfiling()
  await session.release()
  const [file = ''] = await readdir(folder)
  const events: readonly ProfileEvent[] = JSON.parse(await readFile(join(folder, file), 'utf8'))
  const nodes = events.filter(({ cat, args }) => cat === 'Node' && args?.op_name)
  const onCpu: Record<string, number> = {}
  let copiesDown = 0
  let copiesUp = 0
  for (const { args: { op_name: name = '', provider } = {} } of nodes) {
    if (name === 'MemcpyToHost') copiesDown++
    else if (name === 'MemcpyFromHost') copiesUp++
    else if (provider === 'CPUExecutionProvider') onCpu[name] = (onCpu[name] ?? 0) + 1
  }
  return { onCpu, copiesDown, copiesUp }
}

/** Whether all of a graph is computed on a device, none of it on the CPU: onnxruntime says so without running it. */
export async function staysOnDevice(model: GraphOverWeights, device: Device): Promise<boolean> {
  try {
    await (await openFor(model, device, true, {}, { disable_cpu_ep_fallback: '1' })).release()
    return true
  } catch (error) {
    if (/fallback to CPU EP has been explicitly disabled/.test((error as Error).message)) return false
    throw error
  }
}

function openFor(
  model: string | Uint8Array | GraphOverWeights,
  device: Device,
  ownGraph: boolean,
  more: InferenceSession.SessionOptions,
  entries: Readonly<Record<string, string>> = {},
): Promise<InferenceSession> {
  const { extra, ...settings } = sessionSettings(1, ownGraph)
  const { session } = extra as { readonly session: object }
  const isOver = typeof model === 'object' && 'graph' in model
  const weights = isOver && { model_external_initializers_file_folder_path: model.folder }
  const options = {
    ...settings,
    ...more,
    extra: { session: { ...session, ...entries, ...weights } },
    executionProviders: executionProviders(device),
  }
  const source = isOver ? model.graph : model
  // The two overloads are told apart by type only.
  return typeof source === 'string'
    ? InferenceSession.create(source, options)
    : InferenceSession.create(source, options)
}

interface ProfileEvent {
  readonly cat: string
  readonly args?: { readonly op_name?: string; readonly provider?: string }
}
