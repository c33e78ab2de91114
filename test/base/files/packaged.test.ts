import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { orPackaged, packaged } from '../../../src/base/files/packaged.js'
import { runCommandIn } from '../../helpers/run-command.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()

describe('a pipeline or card that is not in the working folder', () => {
  it("is the program's own of that name, and any other stays what it is", () => {
    expect(orPackaged('package.json')).toBe('package.json')
    expect(orPackaged('pipelines/cc3m.yaml')).toBe('pipelines/cc3m.yaml')
    expect(orPackaged('pipelines/none.yaml')).toBe('pipelines/none.yaml')
    expect(orPackaged('/elsewhere/pipelines/cc3m.yaml')).toBe('/elsewhere/pipelines/cc3m.yaml')
  })

  it('is found from elsewhere, with the card that it names', async () => {
    await writeFile(join(folder, 'list.tsv'), 'no picture\thttp://127.0.0.1:1/a.jpg\n')
    const args = [
      'run',
      'pipelines/cc3m.yaml',
      '--only',
      'cc3m',
      '--set',
      'list=list.tsv',
      '--set',
      'model=m',
    ]
    const settings = ['--set', 'cc3m.fetch={retries: 0, allow_hosts: [127.0.0.1]}', '--json']
    const { out, err, code } = await runCommandIn(folder, ...args, ...settings)
    expect(err).not.toContain('Cannot read')
    expect(JSON.parse(out).funnel[0]).toMatchObject({ stage: 'cc3m', in: 1, rejected: { connection: 1 } })
    expect(err).toMatch(
      /nothing came of the 1 pair of "cc3m" \(connection 1\)\n {2}connection: the servers do not answer/,
    )
    expect(code).toBe(2)
    // One's own file of that name comes first.
    await mkdir(join(folder, 'pipelines'))
    await writeFile(join(folder, 'pipelines/cc3m.yaml'), 'name: [')
    const own = await runCommandIn(folder, ...args)
    expect(own.err).toContain('pipelines/cc3m.yaml: not YAML')
    expect(packaged('pipelines/cc3m.yaml')).not.toContain(folder)
  })
})
