/**
 * What small work comes to on WebGPU and on the CPU, in a process of its own: a driver is chosen once in a process, and
 * one that crashes takes nobody with it. Argument: a folder for what is written meanwhile. Prints JSON.
 */
import { join } from 'node:path'
import { sizeGraph } from '../../src/model/model-folder.js'
import { type GlipConfig, squareSize } from '../../src/model/network/config.js'
import { readTensorPlaces } from '../../src/weights/safetensors.js'
import { largestDifference, randomFolder } from './device-cases.js'
import { staysOnDevice } from './device-profile.js'
import { narrowGlip } from './glip-cases.js'
import { narrowQueries } from './query-cases.js'
import { smallStepStays, smallSteps } from './small-step.js'
import { tinyConfig } from './tiny-glip.js'

const [scratch = ''] = process.argv.slice(2)

/** Whether a teacher's graph is computed on WebGPU alone. */
async function stays(config: GlipConfig, portable: boolean): Promise<boolean> {
  const folder = await randomFolder(config, scratch)
  const places = await readTensorPlaces(join(folder, 'model.safetensors'))
  const graph = sizeGraph(config, 1, squareSize(config), places, portable)
  return staysOnDevice({ graph, folder, name: config.preset }, 'webgpu')
}

const [cpu, webgpu] = [await smallSteps('cpu'), await smallSteps('webgpu')]
const answer = {
  difference: largestDifference(cpu, webgpu),
  losses: cpu.losses,
  step: await smallStepStays('webgpu'),
  toy: await stays(tinyConfig, true),
  'glip-t': await stays(narrowGlip, true),
  'glip-t as its folder has it': await stays(narrowGlip, false),
  'glip-r50': await stays(narrowQueries, true),
}
process.stdout.write(JSON.stringify(answer))
