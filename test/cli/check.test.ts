import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { hashBytes } from '../../src/base/hash.js'
import { acquireLock } from '../../src/storage/lock.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { runCommand } from '../helpers/run-command.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const run = join(folder, 'run')
const pipeline = join(folder, 'pipeline.yaml')

beforeAll(async () => {
  const world = join(folder, 'world')
  await makeSmallWorld(world)
  const ingest = (split: string) =>
    `{ name: ${split}, uses: ingest, with: { format: coco, images: ${world}/${split}/images, instances: ${world}/${split}/annotations.json } }`
  await writeFile(
    pipeline,
    `name: small
stages:
  - ${ingest('gold')}
  - ${ingest('known')}
  - { name: m, uses: train, needs: [gold], with: { steps: 1, batch: 2 } }
  - { name: scores, uses: evaluate, needs: [known, m] }
`,
  )
  expect(await runCommand('run', pipeline, '--dataset', run)).toMatchObject({ code: 0 })
})

interface Found {
  readonly kind: string
  readonly name: string
  readonly mended?: string
}

async function check(...args: string[]) {
  const { code, out } = await runCommand('check', run, '--json', ...args)
  const { findings, ...others } = JSON.parse(out) as { findings: Found[] }
  return { code, others, found: findings.map(({ kind, name }) => `${kind} ${name}`).sort(), findings }
}

describe('groundmill check', () => {
  it('of a run looks at its datasets, its models and their records', async () => {
    const { code, err, out } = await runCommand('check', run, '--deep')
    expect({ code, out }).toEqual({ code: 0, out: 'nothing is wrong\n' })
    expect(err).toMatch(
      /^gold: 1 record, \d\.\d MB read; made of 1 shard: gold 1\nknown: .*\nrun: 2 records, 1 model\n$/,
    )
    expect((await check()).others).toMatchObject({
      datasets: { gold: { shards: 1, records: 1 }, known: { shards: 1, records: 1 } },
      run: { records: 2, models: 1 },
      bad: 0,
    })
    expect((await runCommand('check', join(run, 'gold'))).code).toBe(0)
  })

  it('says what is wrong with code 1, mends it, and the next run makes the same again', async () => {
    const weights = join(run, 'models/m/model.safetensors')
    const bytes = await readFile(weights)
    const broken = Buffer.from(bytes)
    broken[bytes.length - 1] = (broken[bytes.length - 1] as number) ^ 1
    await writeFile(weights, broken)
    await rm(join(run, 'evaluations/scores.outcomes.json'))
    await writeFile(join(run, 'evaluations/other.outcomes.json'), '{}')
    await cp(join(run, 'models/m'), join(run, 'models/m.replaced'), { recursive: true })
    await mkdir(join(run, 'models/n.partial'))
    await writeFile(join(run, 'models/n.partial/checkpoint.safetensors'), 'x')
    await mkdir(join(run, 'models/mine'))
    await writeFile(join(run, 'models/mine/config.json'), '{}')
    await writeFile(join(run, 'report.json'), '{')
    const all = [
      'busy models/n.partial/',
      'foreign models/mine/',
      'left over evaluations/other.outcomes.json',
      'left over models/m.replaced/',
      'missing evaluations/scores.outcomes.json',
      'wrong report.json',
    ]
    expect(await check()).toMatchObject({ code: 1, found: all, others: { bad: 4 } })
    const deep = await check('--deep')
    expect(deep).toMatchObject({ code: 1, found: [...all, 'wrong models/m/model.safetensors'].sort() })
    const text = await runCommand('check', run)
    expect(text.out).toBe(
      '4 things are wrong; --mend removes what is left over, keeps the pictures of broken files that are whole, and removes the records of other broken files\n',
    )
    expect(text.err).toContain('✗ missing: evaluations/scores.outcomes.json: its record names it\n')

    const mended = await check('--deep', '--mend')
    expect(mended).toMatchObject({ code: 1, others: { bad: 1 } })
    expect(mended.findings.filter(({ mended: what }) => what !== undefined)).toHaveLength(4)
    await rm(join(run, 'report.json'))
    expect((await readdir(join(run, 'models'))).sort()).toEqual(['m', 'mine', 'n.partial'])
    expect((await runCommand('run', pipeline, '--dataset', run)).code).toBe(0)
    expect(hashBytes(await readFile(weights))).toBe(hashBytes(bytes))
    expect(await check('--deep')).toMatchObject({
      code: 0,
      found: ['busy models/n.partial/', 'foreign models/mine/'],
    })
  })

  it('leaves what a process that lives is making', async () => {
    const storage = openStorage(run)
    await rm(join(run, 'evaluations/scores.outcomes.json'))
    const lock = await acquireLock(storage, 'evaluations/scores.lock', {
      what: 'making "scores"',
      wait: false,
    })
    const { code, found, findings } = await check('--mend')
    expect(code).toBe(1)
    expect(found).toContain('busy evaluations/scores.lock')
    expect(findings.find(({ kind }) => kind === 'missing')?.mended).toBeUndefined()
    await lock.release()
    expect(await check('--mend')).toMatchObject({ code: 0 })
  })

  it('says of a folder that is neither that there is nothing to check', async () => {
    const { code, err } = await runCommand('check', folder)
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining('neither a dataset nor the folder'),
    })
  })
})
