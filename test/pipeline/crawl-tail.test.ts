import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { readCommit } from '../../src/shards/commit.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { imageServer } from '../helpers/image-server.js'
import { grain } from '../helpers/odd-images.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

it('the next shard is begun while the last row of one waits for a slow server', async () => {
  const folder = await temporaryFolder()
  const picture = await grain().jpeg().toBuffer()
  let release = () => {}
  const isAsked = new Promise<void>((resolve) => {
    release = resolve
  })
  const rows = 24
  const server = await imageServer(
    Object.fromEntries(
      Array.from({ length: rows }, (_, row) => [
        `/${row}.jpg`,
        async (_: unknown, response: { end(bytes: Buffer): void }) => {
          // A row of the first of two shards, which is answered when one of the second is asked for.
          if (row === 3) await isAsked
          if (row >= rows / 2) release()
          response.end(picture)
        },
      ]),
    ),
  )
  const list = join(folder, 'list.tsv')
  const lines = Array.from({ length: rows }, (_, row) => `${server.url}/${row}.jpg\tpicture ${row}\n`)
  await writeFile(list, `url\tcaption\n${lines.join('')}`)
  const fetch = { robots: false, allow_hosts: [server.url], timeout_ms: 5000, retries: 0 }
  const stage = {
    name: 'web',
    uses: 'ingest',
    with: { format: 'tsv', path: list, shard_size: rows / 2, fetch },
  }
  const { outcomes } = await runPipeline(
    await parsePipeline({ name: 'tail', stages: [stage] }, 'p'),
    join(folder, 'run'),
  )
  expect([...outcomes.values()]).toMatchObject([{ ran: 2, failed: [] }])
  const storage = openStorage(join(folder, 'run/web'))
  for (const shard of ['00000', '00001'])
    expect(await readCommit(storage, 'images', null, shard)).toMatchObject({ out: rows / 2, rejected: {} })
})
