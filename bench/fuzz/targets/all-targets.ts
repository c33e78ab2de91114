import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FuzzTarget } from '../target.js'
import { benchmarkTargets } from './benchmark-targets.js'
import { configTargets } from './config-targets.js'
import { datasetTargets } from './dataset-targets.js'
import { exchangeTargets } from './exchange-targets.js'
import { listTargets } from './list-targets.js'
import { modelTargets } from './model-targets.js'
import { partTargets } from './part-targets.js'
import { pictureTargets } from './picture-targets.js'
import { queueTargets } from './queue-targets.js'
import { runTargets } from './run-targets.js'
import { sourceTargets } from './source-targets.js'
import { parquetTargets, weightTargets } from './weight-targets.js'

/** All readers, or those whose names have one of the parts of `only`; their files lie below a folder, which is there. */
export async function allTargets(folder: string, only = ''): Promise<FuzzTarget[]> {
  const roomOf = async (name: string) => {
    const room = join(folder, name)
    await mkdir(room, { recursive: true })
    return room
  }
  const all = [
    ...(await sourceTargets(await roomOf('sources'))),
    ...(await parquetTargets()),
    ...(await weightTargets(await roomOf('weights'))),
    ...(await pictureTargets()),
    ...(await benchmarkTargets(await roomOf('benchmarks'))),
    ...(await modelTargets(await roomOf('models'))),
    ...(await datasetTargets(await roomOf('dataset'))),
    ...(await runTargets(await roomOf('run'))),
    ...(await partTargets(await roomOf('parts'))),
    ...queueTargets(),
    ...(await exchangeTargets(await roomOf('exchange'))),
    ...(await listTargets(await roomOf('lists'))),
    ...(await configTargets(await roomOf('config'))),
  ]
  const parts = only.split(',')
  return all.filter(({ name }) => parts.some((part) => name.includes(part)))
}
