import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { compiledProgram } from '../helpers/compiled.js'
import { softwareDriver } from '../helpers/software-driver.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** Debian's libvulkan1: what loads a Vulkan driver. */
const loader = ['/usr/lib/x86_64-linux-gnu/libvulkan.so.1', '/usr/lib64/libvulkan.so.1'].some(existsSync)
const driver = process.arch === 'x64' && loader ? softwareDriver() : undefined
const why = driver === undefined ? ' (skipped: libvulkan1 or chromium is not installed)' : ''

/** SwiftShader answers as a GPU would, on the CPU. `npm run verify:device` holds every family against it. */
describe.skipIf(driver === undefined)(`WebGPU by SwiftShader${why}`, () => {
  let run: Promise<{ readonly stdout: string }> | undefined
  const answered = async () => {
    run ??= promisify(execFile)(
      process.execPath,
      [compiledProgram('helpers/webgpu-answers'), await temporaryFolder()],
      { env: { ...process.env, VK_ICD_FILENAMES: driver ?? '' } },
    )
    return JSON.parse((await run).stdout)
  }

  it('trains as the CPU does, with weights that stay on the device', async () => {
    const { difference, losses } = await answered()
    expect(difference).toBeLessThan(1e-5)
    // Both parts of a batch saw the same weights, and the next step others.
    const [first, second, later] = losses
    expect(second).toBe(first)
    expect(later).toBeLessThan(first)
  })

  it('computes all of a step and of every network of its own', async () => {
    expect(await answered()).toMatchObject({
      step: true,
      toy: true,
      'glip-t': true,
      'glip-t as its folder has it': false,
      'glip-r50': true,
    })
  })
})
