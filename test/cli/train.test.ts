import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { filterShard } from '../../src/filter/filter-shard.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { readCommit } from '../../src/shards/commit.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const web = join(folder, 'run/web')

/** One picture, phrases, and a grounding of them; then other phrases that are fewer. */
beforeAll(async () => {
  const picture = sharp({ create: { width: 96, height: 96, channels: 3, background: 'red' } })
  await picture.jpeg().toFile(join(folder, 'a.jpg'))
  await writeFile(join(folder, 'a.txt'), 'a big red square beside a dog\n')
  await writeFile(
    join(folder, 'p.yaml'),
    `name: p
stages:
  - { name: web, uses: ingest, with: { format: folder, path: ${folder} } }
  - { name: first, uses: chunk, needs: [web] }
  - { name: second, uses: chunk, needs: [web], with: { max_words: 1 } }
`,
  )
  await runPipeline(await readPipeline(join(folder, 'p.yaml')), join(folder, 'run'))
  const storage = openStorage(web)
  const task = { storage, shard: '00000', configHash: 'c' }
  const phrases = (await readCommit(storage, 'phrases', 'first', '00000'))?.files.phrases?.sha256 as string
  await runShardTask({ ...task, stage: 'label', inputs: { phrases } }, 'proposals', async (write) => {
    const proposals = [{ phrase: 0, xyxy: [8, 8, 64, 64] as const, score: 0.9, label: null }]
    const rows = [{ key: '000000000', proposals, teacher: 't' }]
    const file = await write('proposals', rows)
    return { files: { proposals: file }, unit: 'phrases', in: 1, out: 1, rejected: {}, stats: emptyStats }
  })
  const config = { rules: [], phrases: 'first', proposals: 'label' }
  await filterShard({ ...task, stage: 'kept', inputs: { phrases } }, config)
})

describe('groundmill train', () => {
  it('takes the phrases that a grounding was made of, whatever was chunked later', async () => {
    const { code, out, err } = await runCommand(
      ...['train', web, '-o', join(folder, 'model'), '--json'],
      ...['--set', 'steps=1', '--set', 'batch=2'],
    )
    expect(err).toMatch(/1 step, loss/)
    expect(code).toBe(0)
    expect(JSON.parse(out).last.positives).toBeGreaterThan(0)
    expect(JSON.parse(out).trained_on).toEqual([`${web}:kept`])
    expect(err).toMatch(/training on web:kept, 1 region of 1 picture\n/)
    // The only grounding is the same by its name, to the last digit.
    const named = await runCommand(
      ...['train', `${web}:kept`, '-o', join(folder, 'named'), '--json'],
      ...['--set', 'steps=1', '--set', 'batch=2'],
    )
    const { seconds: _, data_seconds: __, ...losses } = JSON.parse(out).last
    expect(JSON.parse(named.out).last).toMatchObject(losses)
  })

  it('and others say of a folder what it is instead', async () => {
    const of = async (...args: string[]) => {
      const { code, err } = await runCommand(...args)
      return `${code} ${err}`
    }
    const out = ['-o', join(folder, 'model')]
    expect(await of('train', `${web}:none`, ...out)).toMatch(/^2 .*has no grounding "none"; it has: kept\./)
    expect(await of('train', join(folder, 'run'), ...out)).toMatch(
      /^2 .* is the folder of a run: name one of its datasets: .*run.web\./,
    )
    expect(await of('evaluate', web, '--model', join(folder, 'model'))).toMatch(
      /^2 .*web has no gold boxes: name a dataset/,
    )
    expect(
      await of(
        ...['teach', web, '--model', 'm', '--phrases', 'first', '--as', 'label'],
        ...['--set', 'model=n'],
      ),
    ).toMatch(/^2 .*no such key: "model"/)
  })
})
