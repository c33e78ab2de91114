/**
 * Small networks of every family on a device against the CPU: answers of teachers, losses of training steps, and
 * which operators the device lacks.
 *
 *     npm run verify:device -- [--device webgpu] [--driver FILE] [--only TEXT] [--json]
 *
 * `--driver` names a Vulkan driver by its ICD file. Where a machine has no GPU, and chromium is installed, its
 * SwiftShader is taken, which computes as a GPU would on the CPU: it says what is right, and nothing of speed.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatTable } from '../src/cli/terminal/format-table.js'
import type { Device } from '../src/graph/device.js'
import { resolveDevice } from '../src/graph/device.js'
import { deviceCases, largestDifference } from '../test/helpers/device-cases.js'
import { softwareDriver } from '../test/helpers/software-driver.js'
import { option, printHelp, refuse } from './report.js'

await printHelp(import.meta.url)
const device = option('device', 'webgpu') as Device
const driver = option('driver', '')
if (driver !== '') process.env.VK_ICD_FILENAMES = driver
const isThere = () =>
  resolveDevice(device).then(
    () => undefined,
    ({ message }: Error) => message,
  )
let missing = await isThere()
if (missing !== undefined && device === 'webgpu' && driver === '' && softwareDriver() !== undefined) {
  process.env.VK_ICD_FILENAMES = softwareDriver()
  missing = undefined
}
if (missing !== undefined) refuse(missing)
const scratch = await mkdtemp(join(tmpdir(), 'groundmill-'))
const rows: (readonly string[])[] = []
for (const one of deviceCases.filter(({ name }) => name.includes(option('only', '')))) {
  const since = performance.now()
  try {
    const difference = largestDifference(
      await one.answers('cpu', scratch),
      await one.answers(device, scratch),
    )
    const { onCpu, copiesDown, copiesUp } = await one.profile(device, scratch)
    const operators = Object.entries(onCpu).map(([name, count]) => `${name} ${count}`)
    rows.push([
      one.name,
      difference.toExponential(1),
      operators.join(', ') || 'none',
      `${copiesDown}`,
      `${copiesUp}`,
    ])
  } catch (error) {
    rows.push([one.name, '-', (error as Error).message.slice(0, 200), '', ''])
  }
  process.stderr.write(`${rows.at(-1)?.join(' | ')} (${((performance.now() - since) / 1000).toFixed(1)} s)\n`)
}
await rm(scratch, { recursive: true })
process.stdout.write(
  `${formatTable(['what', 'largest difference', 'operators on the CPU', 'copies down', 'copies up'], rows)}\n`,
)
