import { describe, expect, it } from 'vitest'
import { parseYaml } from '../../../src/base/files/parse-yaml.js'
import { inBounds } from '../../helpers/in-bounds.js'

const levels = 'bcdefghij'
/** Nine lines that say a billion values. */
const laughs = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...[...levels].map((name, index) => {
    const before = `*${index === 0 ? 'a' : levels[index - 1]}`
    return `${name}: &${name} [${Array.from({ length: 9 }, () => before).join(', ')}]`
  }),
].join('\n')

describe('a text of YAML', () => {
  it.each([
    ['aliases of aliases', laughs, 'Excessive alias count'],
    ['a hundred thousand brackets', '['.repeat(100_000), 'it is nested deeper than 200'],
    [
      'a hundred thousand pairs of brackets',
      `${'{a: ['.repeat(50_000)}${']}'.repeat(50_000)}`,
      'nested deeper',
    ],
    ['lists in lists on a line', `${'- '.repeat(5000)}a`, 'nested deeper than 200'],
    [
      'steps of indentation',
      Array.from({ length: 1000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'),
      'nested',
    ],
    [
      'a list that is broken at both its ends',
      `s:\n  a: b }\n${'    - { n: p, i: q: r }\n'.repeat(8000)}    - { n: p, i: q: 2\n  c: d\ng:\n  x: y\n`,
      'so many places',
    ],
    ['a key twice', 'a: 1\nb: {c: 1, d: 2,\n  c: 3}', 'Map keys must be unique at line 3, column 3'],
  ])('of %s is refused in one line', (_, text, message) => {
    const read = () => parseYaml(text, 'file.yaml')
    expect(read).toThrow(/^file\.yaml: not YAML: [^\n]*$/)
    expect(read).toThrow(message)
  })

  it('of many keys and of many brackets is read', async () => {
    // Each compared with each takes minutes.
    const names = Array.from({ length: 80_000 }, (_, at) => `${at}: name ${at}`).join('\n')
    const read = await inBounds(() => parseYaml(names, 'file.yaml') as object)
    expect(Object.keys(read)).toHaveLength(80_000)
    const lists = Array.from({ length: 500 }, (_, at) => `- [${at}, {a: [1]}]`).join('\n')
    expect(parseYaml(lists, 'file.yaml')).toHaveLength(500)
    expect(parseYaml('a:\n  - - 1\n    - 2\n  - - 3', 'file.yaml')).toEqual({ a: [[1, 2], [3]] })
  })
})
