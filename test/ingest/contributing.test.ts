import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { SourceFormat } from '../../src/ingest/read/source-format.js'
import { take } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const root = new URL('../../', import.meta.url).pathname

/**
 * The module that CONTRIBUTING shows for a source, with its imports turned to where they lead from
 * `src/ingest/sources`.
 */
async function sourceOfPage(folder: string): Promise<Readonly<Record<string, SourceFormat>>> {
  const page = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8')
  const code = /^## A source$[\s\S]*?^```ts\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? ''
  const path = join(folder, 'semicolon.ts')
  const here = code.replaceAll(
    /'(\.\.?\/[^']*)'/g,
    (_, to: string) => `'${join(root, 'src/ingest/sources', to)}'`,
  )
  await writeFile(path, here)
  return import(path)
}

it('shows a source that reads', async () => {
  const folder = await temporaryFolder()
  const { semicolon, ...others } = await sourceOfPage(folder)
  expect(others).toEqual({})
  expect(semicolon?.name).toBe('semicolon')
  const path = join(folder, 'list.pairs')
  await writeFile(path, 'http://host/1.jpg;a dog\nno address\nhttp://host/2.jpg;a cat\n')
  for (const given of [path, folder]) {
    const config = semicolon?.schema.parse({ format: 'semicolon', path: given }) ?? {}
    const source = semicolon?.open(config)
    if (!source) throw new Error('CONTRIBUTING shows no source')
    const rows = await take(source.rows())
    expect(rows.map(({ url, captions, problem }) => problem?.reason ?? [url, captions[0]?.text])).toEqual([
      ['http://host/1.jpg', 'a dog'],
      'empty_caption',
      ['http://host/2.jpg', 'a cat'],
    ])
    expect(await take(source.rows(rows[2]?.mark))).toEqual(rows.slice(2))
    await source.close()
  }
  expect(() => semicolon?.schema.parse({ format: 'semicolon', split: 'val' })).toThrow(
    /"split\\*"; the format semicolon has: path, base_url/,
  )
})
