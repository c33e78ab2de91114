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
  const { extra, ...settings } = sessionSettings(1, ownGraph)
  const { session: entries } = extra as { readonly session: object }
  const isOver = typeof model === 'object' && 'graph' in model
  const options = {
    ...settings,
    extra: {
      session: { ...entries, ...(isOver && { model_external_initializers_file_folder_path: model.folder }) },
    },
    executionProviders: executionProviders(device),
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
  }
  const source = isOver ? model.graph : model
  // The two overloads are told apart by type only.
  const session =
    typeof source === 'string'
      ? await InferenceSession.create(source, options)
      : await InferenceSession.create(source, options)
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

interface ProfileEvent {
  readonly cat: string
  readonly args?: { readonly op_name?: string; readonly provider?: string }
}
