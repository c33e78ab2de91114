import { expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { bertWords } from '../../src/model/bert-words.js'

it('has the same words of ASCII as of a text that goes on with other characters', () => {
  const every = Array.from({ length: 128 }, (_, code) => `a${String.fromCharCode(code)}B`)
  const draw = random(1, 'bert words')
  const drawn = Array.from({ length: 500 }, () =>
    String.fromCharCode(...Array.from({ length: draw.integer(12) }, () => draw.integer(128))),
  )
  for (const text of [...every, every.join(' '), ...drawn]) {
    const longer = bertWords(`${text} é`)
    expect(longer.at(-1)).toEqual([{ char: 'e', at: text.length + 1 }])
    expect(bertWords(text), JSON.stringify(text)).toEqual(longer.slice(0, -1))
  }
})
