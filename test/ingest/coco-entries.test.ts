import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { cocoEntries } from '../../src/formats/coco-entries.js'
import { readJsonElements } from '../../src/formats/read-json-elements.js'
import { readLines } from '../../src/formats/read-lines.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

async function written(name: string, bytes: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

async function all<T>(values: AsyncGenerator<T>): Promise<T[]> {
  const found: T[] = []
  for await (const value of values) found.push(value)
  return found
}

describe('entries of files in COCO form', () => {
  it('keep all digits of their ids, NaN and Infinity, and have no keys of null', async () => {
    const path = await written(
      'numbers.json',
      '{"info": NaN, "images": [{"id": 9007199254740993, "license": null, "tags": [null, 1]}],\n' +
        '"annotations": [{"area": NaN, "bbox": [-Infinity, 0, 0.30000000000000004, Infinity]}], "licenses": null}',
    )
    expect(await all(cocoEntries(path, ['images', 'annotations']))).toEqual([
      { list: 'images', index: 0, value: { id: 9007199254740993n, tags: [null, 1] } },
      {
        list: 'annotations',
        index: 0,
        value: {
          area: Number.NaN,
          bbox: [Number.NEGATIVE_INFINITY, 0, 0.30000000000000004, Number.POSITIVE_INFINITY],
        },
      },
    ])
  })
})

describe('elements of a large list', () => {
  /** Strings that look like the ends of values, some of which lie on the borders of what is read at once. */
  function drawn(count: number): unknown[] {
    const draw = random('elements')
    const text = () =>
      Array.from({ length: draw.integer(40) }, () => draw.pick([...'"\\\\{}[],: aé\n'])).join('')
    const value = (deep: number): unknown => {
      const kind = draw.integer(deep > 3 ? 3 : 5)
      if (kind < 3) return [draw.normal(), text(), null][kind]
      const parts = Array.from({ length: draw.integer(5) }, () => value(deep + 1))
      return kind === 3 ? parts : Object.fromEntries(parts.map((part) => [text(), part]))
    }
    return Array.from({ length: count }, () => value(0))
  }
  const values = drawn(15_000)
  const texts = values.map((one) => JSON.stringify(one))

  it('are those of JSON.parse, with their places', async () => {
    const text = `{"other": [[{}]], "images": [${texts.join(' ,\n')}]}`
    const path = await written('large.json', text)
    const elements = await all(readJsonElements(path, { wanted: (key) => key === 'images' }))
    expect(elements.map(({ value }) => value)).toEqual(values)
    expect(elements.map(({ index }) => index)).toEqual([...values.keys()])
    const bytes = Buffer.from(text)
    const begins = elements.every(
      ({ at }, index) =>
        bytes.subarray(at).toString('utf8', 0, Buffer.byteLength(texts[index])) === texts[index],
    )
    expect(begins).toBe(true)
  })

  it('are read one by one where one of them is no standard JSON, and the first fault is told', async () => {
    for (const [odd, value] of [
      ['9007199254740993', 9007199254740993n],
      ['NaN', Number.NaN],
    ] as const) {
      const path = await written('odd.json', `[${[...texts.slice(0, 9), odd, ...texts.slice(9, 20)].join()}]`)
      const elements = await all(readJsonElements(path))
      expect(elements.map((element) => element.value)).toEqual([
        ...values.slice(0, 9),
        value,
        ...values.slice(9, 20),
      ])
    }
    const broken = `[1, {"a": }, 2}]`
    await expect(all(readJsonElements(await written('broken.json', broken)))).rejects.toThrow('byte 4: ')
    const more = '[1, 2, [3]] x'
    await expect(all(readJsonElements(await written('more.json', more)))).rejects.toThrow('at byte 12')
    const deep = '['.repeat(3000)
    await expect(all(readJsonElements(await written('deep.json', deep)))).rejects.toThrow('deeper than 2000')
  })
})

describe('text of other encodings than plain UTF-8', () => {
  const text = '[{"a": "Größe \u{1F600}"}, {"a": 2}]'
  const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16()
  const little = Buffer.from(text, 'utf16le')
  const encodings: Record<string, Buffer> = {
    'UTF-8 with a mark': Buffer.from(`\uFEFF${text}`),
    'UTF-16, little-endian': Buffer.from(`\uFEFF${text}`, 'utf16le'),
    'UTF-16, big-endian': swapped(Buffer.from(`\uFEFF${text}`, 'utf16le')),
    'UTF-16 without a mark': little,
    'UTF-16, big-endian, without a mark': swapped(little),
  }
  it.each(Object.keys(encodings))('is read where it is %s, from any element on', async (name) => {
    const bytes = encodings[name] ?? Buffer.alloc(0)
    for (const path of [await written('text.json', bytes), await written('text.json.gz', gzipSync(bytes))]) {
      const elements = await all(readJsonElements(path))
      expect(elements.map(({ value }) => value)).toEqual([{ a: 'Größe \u{1F600}' }, { a: 2 }])
      const rest = await all(readJsonElements(path, { from: elements[1]?.at ?? 0 }))
      expect(rest.map(({ value }) => value)).toEqual([{ a: 2 }])
    }
  })

  it('is a table of lines in UTF-16, as Excel writes it', async () => {
    const path = await written('table.tsv', Buffer.from('\uFEFFurl\tcaption\r\nü\ta dog\r\n', 'utf16le'))
    const lines = await all(readLines(path))
    expect(lines.map(({ text }) => text)).toEqual(['url\tcaption', 'ü\ta dog'])
    expect(await all(readLines(path, lines[1]?.mark))).toEqual([lines[1]])
  })

  it('is refused where it is compressed and its name does not say so', async () => {
    const path = await written('packed.json', gzipSync(text))
    await expect(all(readJsonElements(path))).rejects.toThrow(
      'it is compressed: give its name the ending .gz',
    )
  })

  it('is refused where it is of a Windows code page, with what to do', async () => {
    const path = await written('cp1252.json', Buffer.from('[{"a": "Stra\u00dfe"}]', 'latin1'))
    await expect(all(readJsonElements(path))).rejects.toThrow(
      `${path} is not JSON: the value at byte 1 is not UTF-8: save the file as UTF-8`,
    )
  })
})
