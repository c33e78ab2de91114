import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
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

const quiet = await temporaryFolder()
const asked = await temporaryFolder()

/** Files that a program leaves in the user's home by opening a session. */
async function filesLeft(home: string, settings: NodeJS.ProcessEnv): Promise<string[]> {
  // On machines for continuous integration onnxruntime keeps quiet by itself.
  const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, CI: ___, ...env } = process.env
  await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    env: { ...env, HOME: home, ...settings },
  })
  return (await readdir(home, { recursive: true })).filter((name) => name.includes('onnxruntime'))
}

describe('a session', () => {
  it('leaves no trace of onnxruntime in the home folder, unless that is asked for', async () => {
    expect(await filesLeft(quiet, {})).toEqual([])
    // Where onnxruntime stops doing so, this and the module under test can go.
    if (process.platform === 'linux') {
      expect((await filesLeft(asked, { ORT_DISABLE_TELEMETRY: '0' })).length).toBeGreaterThan(0)
    }
  })
})
