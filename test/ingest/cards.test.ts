import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ingestConfig } from '../../src/ingest/config.js'
import { readCard, withCard } from '../../src/ingest/open-source.js'
import { rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const cards = new URL('../../datasets/', import.meta.url).pathname
// The toy world's file is a recipe, not a card.
const names = (await readdir(cards)).filter((name) => name.endsWith('.yaml') && name !== 'toy.yaml')

async function card(text: string): Promise<string> {
  const path = join(folder, 'card.yaml')
  await writeFile(path, text)
  return path
}

describe('a dataset card', () => {
  it.each(names)('%s is whole, and is named as its file', async (name) => {
    expect(`${(await readCard(join(cards, name))).name}.yaml`).toBe(name)
  })

  it('may be named without its folder', async () => {
    expect((await readCard('cc12m')).rows).toBe(12_423_374)
  })

  it('tells how CC3M is read', async () => {
    const path = join(folder, 'Train_GCC-training.tsv')
    await writeFile(path, 'a very typical bus station\thttp://host.example/b.jpg\n')
    const given = { card: join(cards, 'cc3m.yaml'), path }
    const { config } = await withCard(ingestConfig.parse(given))
    const rows = (await rowsOf(given)).map((row) => [row.url, row.captions[0].text])
    expect(rows).toEqual([['http://host.example/b.jpg', 'a very typical bus station']])
    // The list's licence is not the picture's.
    expect(config.license).toBeUndefined()
  })

  it('gives way to what the configuration says', async () => {
    const path = await card('name: x\ntitle: X\nlicense: free\nformat: jsonl\npath: there.jsonl\n')
    const { config } = await withCard(ingestConfig.parse({ card: path, path: 'here.jsonl' }))
    expect(config).toMatchObject({ format: 'jsonl', path: 'here.jsonl' })
  })

  it.each([
    ['name: x\ntitle: X\nlicense: free\nformat: tsv\ncolums: {}\n', /card\.yaml: .*colums/],
    ['name: x\ntitle: X\nlicense: free\nformat: xls\n', /card\.yaml: format: "xls" is not one of tsv/],
    ['name: x\ntitle: X\nformat: tsv\n', /card\.yaml: license: /],
    ['name: [', /card\.yaml: not YAML/],
  ])('%j is refused by file and key', async (text, message) => {
    await expect(readCard(await card(text))).rejects.toThrow(message)
  })
})
