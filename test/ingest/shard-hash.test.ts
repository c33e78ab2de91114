import { createHash } from 'node:crypto'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { planOf } from '../helpers/rows-of.js'
import { sourceSamples } from '../helpers/source-samples.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const named = Object.entries(await sourceSamples(folder))

const hashesOf = async (given: object) => (await planOf(given)).shards.map(({ hash }) => hash)

describe('the hash of a shard', () => {
  it.each(named)('of %s is of its own rows', async (_, given) => {
    const whole = await hashesOf({ ...given, shard_size: 5 })
    expect(new Set(whole).size).toBe(whole.length)
    const cut = await hashesOf({ ...given, shard_size: 5, limit: 12 })
    expect(cut).toHaveLength(3)
    expect(cut.slice(0, 2)).toEqual(whole.slice(0, 2))
    expect(cut[2]).not.toBe(whole[2])
    // Rows are the same in shards of another size.
    const [first] = await hashesOf({ ...given, shard_size: 10, limit: 5 })
    expect(first).toBe(whole[0])
  })

  const line = (index: number) => `http://h/${index}.jpg\t${'word '.repeat(index % 40)}${index}\n`
  // Longer than what is read at once, so that shards begin within pieces and lines lie in two.
  const lines = Array.from({ length: 5000 }, (_, index) => line(index))
  const head = 'url\tcaption\n'

  it.each([
    ['long.tsv', (text: string) => text],
    ['long.tsv.gz', (text: string) => gzipSync(text)],
  ])('of %s is of the bytes of its lines and of its columns', async (name, packed) => {
    const path = join(folder, name)
    await writeFile(path, packed(head + lines.join('')))
    const columns = JSON.stringify([
      ['url', 0],
      ['caption', 1],
    ])
    const expected = Array.from({ length: Math.ceil(lines.length / 700) }, (_, shard) =>
      createHash('sha256')
        .update(
          `${columns}\n${lines.slice(shard * 700, (shard + 1) * 700).join('')}\n${Math.min(700, lines.length - shard * 700)}`,
        )
        .digest('hex'),
    )
    const given = { format: 'tsv', path, shard_size: 700 }
    expect(await hashesOf(given)).toEqual(expected)
    expect(await hashesOf({ ...given, limit: 1400 })).toEqual(expected.slice(0, 2))
  })

  it('stays when a list grows', async () => {
    const path = join(folder, 'grown.tsv')
    await writeFile(path, head + lines.slice(0, 25).join(''))
    const given = { format: 'tsv', path, shard_size: 10 }
    const before = await planOf(given)
    await appendFile(path, lines.slice(25, 40).join(''))
    const after = await planOf(given)
    expect(after.sourceHash).not.toBe(before.sourceHash)
    expect(after.shards.map(({ rows }) => rows)).toEqual([10, 10, 10, 10])
    expect(after.shards.slice(0, 2)).toEqual(before.shards.slice(0, 2))
    expect(after.shards[2]?.hash).not.toBe(before.shards[2]?.hash)
  })

  it('is another where the columns mean something else', async () => {
    const path = join(folder, 'columns.tsv')
    await writeFile(path, head + lines.slice(0, 5).join(''))
    const [before] = await hashesOf({ format: 'tsv', path })
    await writeFile(path, `caption\turl\n${lines.slice(0, 5).join('')}`)
    expect(await hashesOf({ format: 'tsv', path })).not.toEqual([before])
  })

  it('of rows whose pictures are in a file is of that file too, and files behind it change nothing', async () => {
    const tars = Object.fromEntries(named)['webdataset as tar'] as { readonly path?: string }
    const bytes = await readFile(tars.path ?? '')
    const path = join(folder, 'tars')
    await mkdir(path)
    for (const name of ['a.tar', 'b.tar']) await writeFile(join(path, name), bytes)
    const given = { format: 'webdataset', path, shard_size: 23 }
    const before = await hashesOf(given)
    await writeFile(join(path, 'c.tar'), bytes)
    expect((await hashesOf(given)).slice(0, 2)).toEqual(before)
    // A byte of a picture in the second file.
    const changed = Buffer.from(bytes)
    changed[changed.indexOf('content of 101.jpg')] = 67
    await writeFile(join(path, 'b.tar'), changed)
    const after = await hashesOf(given)
    expect(after[0]).toBe(before[0])
    expect(after[1]).not.toBe(before[1])
  })
})
