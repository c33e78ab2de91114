import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { parsePipeline } from '../../../src/pipeline/read-pipeline.js'
import type { RunOptions } from '../../../src/pipeline/run-options.js'
import { runPipeline } from '../../../src/pipeline/run-pipeline.js'
import { remarksOn } from '../../../src/pipeline/tasks/nothing-came.js'
import { readCommit } from '../../../src/shards/commit.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0

/** A list of these addresses, each with a caption. */
async function listOf(urls: readonly string[], caption = 'an old wooden table'): Promise<string> {
  const path = join(folder, `list-${count++}.tsv`)
  await writeFile(path, ['url\tcaption', ...urls.map((url) => `${url}\t${caption}`), ''].join('\n'))
  return path
}

it('people who speak of phrases alone have said something', async () => {
  const stage = { name: 'people', uses: 'verify', needs: [], with: {} }
  const dataset = { name: 'd', storage: openStorage(folder), shards: ['00000'] }
  const kind = { family: 'verdicts', mayBeEmpty: true } as const
  const said = (counts: Record<string, number>) =>
    remarksOn({ stage, kind, dataset, sums: { in: 0, out: 0, rejected: {}, counts } }, { ran: 1, skipped: 0 })
  expect(await said({ verdicts: 3, judged_phrases: 3 })).toEqual({ warnings: [] })
  expect((await said({})).warnings).toEqual(['nothing came of "people": what needs it goes on without'])
})

const words = { name: 'words', uses: 'chunk', needs: ['web'] }

/** Runs a list and the phrases of it; what came of both. */
async function go(
  path: string,
  config: object = {},
  options: RunOptions = {},
  url = join(folder, `run-${count++}`),
) {
  const web = { name: 'web', uses: 'ingest', with: { format: 'tsv', path, ...config } }
  const pipeline = await parsePipeline({ name: 'p', stages: [web, words] })
  const { outcomes, stopped } = await runPipeline(pipeline, url, options)
  const nothing = outcomes.get('web')?.nothing ?? ''
  return { nothing, outcomes, stopped, warnings: outcomes.get('web')?.warnings.join('\n') ?? '', url }
}

const pictures = join(folder, 'pictures')
await mkdir(pictures)
await sharp({ create: { width: 40, height: 30, channels: 3, background: '#c33' } })
  .jpeg()
  .toFile(join(pictures, 'a.jpg'))

describe('a stage of which nothing came', () => {
  it.each([
    [['photos/1.jpg'], /the list names files, such as photos\/1\.jpg: --set web\.images=FOLDER/],
    [['C:\\photos\\1.jpg'], /--set web\.images=FOLDER/],
    [['file:///data/1.jpg'], /--set web\.images=FOLDER/],
    [['/data/1.jpg'], /--set web\.base_url=https:\/\/HOST\/PATH\/ --retry-failed bad_url/],
    [['image_url'], /the first row is a header, with the name image_url: --set web\.header=true/],
    [['ftp://pictures.example/1.jpg'], /bad_url: only http and https addresses are fetched/],
    [
      ['http://127.0.0.1:8088/1.jpg', 'http://10.0.0.1:81/2.jpg'],
      /--set 'web\.fetch\.allow_hosts=\["127\.0\.0\.1:8088","10\.0\.0\.1:81"\]' --retry-failed forbidden_port/,
    ],
    [['http://127.0.0.1/1.jpg'], /allow_hosts=\["127\.0\.0\.1:80"\]' --retry-failed forbidden_address/],
    [['http://169.254.169.254/meta'], /a cloud keeps its keys: they are never fetched/],
    [['http://user:word@pictures.example/1.jpg'], /take these out of the list/],
  ])('says the mend for %j', async (urls, mend) => {
    const { nothing, outcomes, stopped } = await go(await listOf(urls))
    expect(nothing).toMatch(mend)
    expect(nothing).not.toMatch(/remove|user:word/)
    expect([...outcomes.keys()]).toEqual(['web'])
    expect(stopped).toEqual([{ stage: 'words', at: 'web', why: 'nothing came of it' }])
  })

  it('names a path that a shell would have read, and files that are no pictures', async () => {
    const others = await temporaryFolder()
    await writeFile(join(others, 'no.jpg'), 'no picture')
    const { nothing } = await go(await listOf(['~/photos/1.jpg']), { images: pictures })
    expect(nothing).toContain('~ is of the shell alone: write the folder in full; --set web.images=FOLDER')
    const broken = await go(await listOf(['no.jpg']), { images: others })
    expect(broken.nothing).toMatch(/not_image: the files are no pictures that can be read: .*no\.jpg/)
  })

  it('keeps the hosts that are allowed already in what it says', async () => {
    const { nothing } = await go(await listOf(['http://127.0.0.1:8088/1.jpg']), {
      fetch: { allow_hosts: ['pictures.lan'] },
    })
    expect(nothing).toContain('["pictures.lan","127.0.0.1:8088"]')
  })

  it('ends before it begins where its source is empty', async () => {
    const path = await listOf([])
    await expect(go(path)).rejects.toThrow(`${path} has no rows to ingest`)
  })

  it('is not known of a slice before all have ended', async () => {
    const path = await listOf(['photos/1.jpg', 'photos/2.jpg'])
    const slice = (index: number) => ({ slice: { index, count: 2 } })
    const url = join(folder, `run-${count++}`)
    const first = await go(path, { shard_size: 1 }, slice(0), url)
    expect([first.nothing, first.stopped]).toEqual(['', []])
    const second = await go(path, { shard_size: 1 }, slice(1), url)
    expect(second.nothing).toMatch(/nothing came of the 2 pairs of "web" \(bad_url 2\)/)
    expect(second.stopped.map(({ stage, why }) => [stage, why])).toEqual([['words', 'nothing came of it']])
    expect(await readCommit(openStorage(join(url, 'web')), 'phrases', 'words', '00001')).toBeUndefined()
  })

  it('is told of again when it is run again', async () => {
    const path = await listOf(['photos/1.jpg'])
    const { url } = await go(path)
    expect((await go(path, {}, {}, url)).nothing).toMatch(/--set web\.images=FOLDER/)
  })
})

describe('a stage of which much was dropped', () => {
  const rows = (bad: number) =>
    Array.from({ length: 10 }, (_, at) =>
      at < bad ? `ftp://pictures.example/${at}.jpg` : `http://127.0.0.1:9/${at}.jpg`,
    )

  it('goes on with the mend as a warning', async () => {
    const lines = ['a.jpg', 'b.jpg'].map((name) => JSON.stringify({ file_name: name, caption: 'a red wall' }))
    await writeFile(join(pictures, 'captions.jsonl'), lines.join('\n'))
    const { nothing, warnings, stopped } = await go(pictures, { format: 'folder' })
    expect([nothing, stopped]).toEqual(['', []])
    expect(warnings).toMatch(/missing_file 1 of 2: the files are not there/)
  })

  it('names the reasons of most rows where nothing came', async () => {
    const { nothing } = await go(await listOf(rows(3)))
    expect(nothing).toMatch(/\(forbidden_port 7, bad_url 3\)\n {2}forbidden_port: .*\n {2}bad_url: /)
  })
})
