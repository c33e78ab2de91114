import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { storedMends } from '../../src/pipeline/tasks/stored-mends.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

it('names a stage of which nothing came, and the crawl stays', async () => {
  const pictures = join(folder, 'pictures')
  await mkdir(pictures)
  await sharp({ create: { width: 40, height: 30, channels: 3, background: '#c33' } })
    .jpeg()
    .toFile(join(pictures, 'a.jpg'))
  await writeFile(join(pictures, 'a.txt'), 'an old wooden table')
  const pipeline = join(folder, 'p.yaml')
  await writeFile(
    pipeline,
    `name: p
stages:
  - { name: photos, uses: ingest, with: { format: folder, path: ${pictures} } }
  - { name: words, uses: chunk, needs: [photos], with: { max_words: 1 } }
`,
  )
  const run = join(folder, 'run')
  const { code, err } = await runCommand('run', pipeline, '--dataset', run)
  expect(err).toMatch(
    /groundmill: nothing came of the 1 caption of "words" \(no_phrase 1\)\n {2}no_phrase: .*--set words\.max_words=10\n/,
  )
  expect(err).not.toMatch(/remove/)
  expect(code).toBe(2)
  // What was to be done is told of the dataset later as well.
  const storage = openStorage(join(run, 'photos'))
  const dataset = { name: 'photos', storage, shards: ['00000'] }
  expect(await storedMends(openStorage(run), dataset, await datasetFunnel(storage))).toEqual([
    {
      stage: 'words',
      reason: 'no_phrase',
      count: 1,
      mend: expect.stringContaining('--set words.max_words=10'),
    },
  ])
  // What it says is enough, and the crawl is as it was.
  const again = await runCommand('run', pipeline, '--dataset', run, '--set', 'words.max_words=9')
  expect(again.err).toMatch(/photos .* already done/)
  expect(again.code).toBe(0)
})
