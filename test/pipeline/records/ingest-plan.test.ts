import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ingestConfig } from '../../../src/ingest/config.js'
import { openSource } from '../../../src/ingest/open-source.js'
import { storedPlan } from '../../../src/pipeline/records/ingest-plan.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

it('a plan that is damaged is made again, and another run takes the whole one', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'list.tsv')
  await writeFile(
    path,
    `url\tcaption\n${[1, 2, 3, 4, 5].map((at) => `http://a.example/${at}.jpg\ta dog\n`).join('')}`,
  )
  const source = await openSource(ingestConfig.parse({ format: 'tsv', path, shard_size: 2 }))
  const run = openStorage(join(folder, 'run'))
  const plan = await storedPlan(run, source, 'c')
  expect(plan.shards.map(({ rows }) => rows)).toEqual([2, 2, 1])
  const [name = ''] = await run.list('.groundmill/plans')
  const whole = Buffer.from((await run.read(name)) ?? [])
  expect(await storedPlan(run, source, 'c')).toEqual(plan)
  const text = whole.toString()
  const damaged = [
    '',
    'null',
    '{}',
    '[]',
    text.slice(0, 90),
    text.replace(/"at":\d/, '"at":7'),
    '{"plan":null}',
  ]
  for (const bytes of damaged) {
    await run.write(name, bytes)
    expect(await storedPlan(run, source, 'c'), bytes).toEqual(plan)
    expect(Buffer.from((await run.read(name)) ?? [])).toEqual(whole)
  }
  await source.close()
})
