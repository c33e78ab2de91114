import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { TextList } from '../../src/base/text-list.js'

const draw = random(1, 'texts')
const odd = ['', 'a\nb', '"quoted"', 'kätzchen 🐈', '\ud83d', 'x'.repeat(40_000)]
const texts = Array.from(
  { length: 20_000 },
  (_, index) => odd[index % 50] ?? `caption ${index} ${draw.next()}`,
)

describe('a list of texts', () => {
  it.each([
    ['in memory', undefined],
    ['in memory and in a file', 100_000],
    ['in a file', 0],
  ])('gives them as an array does: %s', (_, limit) => {
    const list = new TextList(limit)
    for (const text of texts) list.add(text)
    expect(list.length).toBe(texts.length)
    expect([...list]).toEqual(texts)
    for (let tries = 0; tries < 2000; tries++) {
      const index = draw.integer(texts.length)
      expect(list.at(index)).toBe(texts[index])
    }
    expect([list.at(-1), list.at(texts.length)]).toEqual([undefined, undefined])
    list.close()
    expect([list.length, [...list]]).toEqual([0, []])
  })

  it('is read while it grows', () => {
    const list = new TextList(1000)
    for (const [index, text] of texts.entries()) {
      list.add(text)
      if (index % 997 === 0) expect(list.at(index >> 1)).toBe(texts[index >> 1])
    }
    list.close()
  })

  it('leaves no file behind', async () => {
    const list = new TextList(0)
    for (const text of texts) list.add(text)
    const left = (await readdir(tmpdir())).filter((name) =>
      name.startsWith(`groundmill-texts-${process.pid}-`),
    )
    expect(left).toEqual([])
    list.close()
  })
})
