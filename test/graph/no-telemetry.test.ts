import { execFile } from 'node:child_process'
import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const script = `
  import { tanh } from './src/graph/ops/activation.js'
  import { Session } from './src/graph/session.js'
  import { input } from './src/graph/ops/tensor.js'
  import { toOnnx } from './src/graph/to-onnx.js'
  const session = await Session.open(toOnnx({ outputs: { y: tanh(input('x', [1])) } }))
  await session.close()
`

/** The program itself opens no session: each device is tried with one. */
const chooseDevice = `
  import { resolveDevice } from './src/graph/device.js'
  await resolveDevice('auto')
`

/** The file of the model does not load, which takes the library all the same. */
const openPool = `
  import { SessionPool } from './src/graph/session-pool.js'
  await SessionPool.open('package.json').catch(() => {})
`

const folder = await temporaryFolder()

/** Files that a program leaves in the user's home, which is empty before. */
async function filesLeft(settings: NodeJS.ProcessEnv, program = script): Promise<string[]> {
  // On machines for continuous integration onnxruntime keeps quiet by itself.
  const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, CI: ___, ...env } = process.env
  const home = await mkdtemp(join(folder, 'home-'))
  const file = join(folder, 'program.mts')
  await writeFile(file, program.replaceAll("'./src/", `'${process.cwd()}/src/`))
  await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {
    env: { ...env, HOME: home, ...settings },
  })
  return (await readdir(home, { recursive: true })).filter((name) => name.includes('onnxruntime'))
}

describe('a session', () => {
  it('leaves no trace of onnxruntime in the home folder, unless that is asked for', async () => {
    expect(await filesLeft({})).toEqual([])
    // Where onnxruntime stops doing so, this and the module under test can go.
    if (process.platform === 'linux') {
      expect((await filesLeft({ ORT_DISABLE_TELEMETRY: '0' })).length).toBeGreaterThan(0)
    }
  })

  it.each([
    ['a device is chosen before any session', chooseDevice],
    ['sessions run in threads', openPool],
  ])('leaves none where %s', async (_, program) => {
    expect(await filesLeft({}, program)).toEqual([])
    if (process.platform === 'linux') {
      expect((await filesLeft({ ORT_DISABLE_TELEMETRY: '0' }, program)).length).toBeGreaterThan(0)
    }
  })
})
