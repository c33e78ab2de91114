import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countWords } from '../../src/words/count-words.js'
import { plainText, readText } from '../../src/words/plain-text.js'
import { inBounds } from '../helpers/in-bounds.js'

describe('a text as people read it', () => {
  const cases: Readonly<Record<string, string>> = {
    'a &quot;red&quot;dress': 'a "red"dress',
    'black&nbsp;dog, black&NBSP;dog': 'black\u00a0dog, black\u00a0dog',
    'dog&#39;s &#x27;s &#X27;s &#146;s &rsquo;s': "dog's 's 's ’s ’s",
    'salt &amp; milk &AMP; tea &amp;amp; ice': 'salt & milk & tea & ice',
    '&amp;quot;red&amp;quot; &amp;amp;lt;3 &amp;#39;': '"red" <3 \'',
    'red&quotdress caf&eacute d&eacutej&agrave &copy 2010': 'red"dress café déjà © 2010',
    'black&nbspdog &#39dog&#39': "black\u00a0dog 'dog'",
    'art&center, black&white, AT&T, R&B, copy&copycat; x&region':
      'art&center, black&white, AT&T, R&B, copy\ufffd x&region',
    'red&foo;dress &#0; &#xd800; &#9999999;': 'red\ufffddress \ufffd \ufffd \ufffd',
    '&Eacute;cole &eacute;cole': 'École école',
    '<b>red</b> dress <SPAN class="a">x</SPAN>': 'red dress x',
    '&lt;i&gt;red&lt;/i&gt; dress': 'red dress',
    'a<br/>b <PERSON> <p>': 'a<br/>b <PERSON> <p>',
    '**Red** dog, a *big* _cat_, ***x*** `y` __z__': 'Red dog, a big cat , x y z',
    '5 * 3, snake_case, 2*3': '5 * 3, snake_case, 2*3',
    'â€œredâ€\u009d dress, donâ€™t â€“ cafÃ© Â© ðŸ˜€ â€œxâ€ y': '“red” dress, don’t – café © 😀 “x” y',
    'a dog&rsquos collar, red&ndashgreen, &ldquohi&rdquo, 5&times10, a &bull b, &bulldog, dog&aposs':
      "a dog’s collar, red–green, “hi”, 5×10, a • b, &bulldog, dog's",
    '[b]red[/b] dress, [url=http://x.y]a cat[/url], [img]z[/img] [brown] [s]': 'red dress, a cat , z [brown]',
    'ï»¿a dog, Å¡koda, cafÃƒÂ©, dog\u0092s': 'a dog, škoda, café, dog’s',
    'Ärger, Åse, naïve, Ä–': 'Ärger, Åse, naïve, Ä–',
    'Ângela, Ãrea, pâté, crème brûlée': 'Ângela, Ãrea, pâté, crème brûlée',
  }
  for (const [stored, read] of Object.entries(cases)) it(stored, () => expect(plainText(stored)).toBe(read))

  it('says where each character is stored', () => {
    const { text, starts, ends } = readText('🐶 a&amp;quot;b') ?? { text: '', starts: [], ends: [] }
    expect(text).toBe('🐶 a"b')
    expect(starts).toEqual([0, 1, 2, 3, 13])
    expect(ends).toEqual([1, 2, 3, 13, 14])
  })

  it('is the text itself where there is nothing to read otherwise, and found in bounded time', async () => {
    expect(readText('a red dress & a hat')).toBeUndefined()
    for (const part of ['&amp;', '&', '<b', '&lt;', '*', '_a', 'â€', '&amp;amp', '&#'])
      await inBounds(() => plainText(part.repeat(100_000)), part)
  })

  it('has a place in order for each of its characters, of any string', () => {
    const part = fc.constantFrom('&', 'amp;', '#39', ';', '<b>', 'a', '*', '_', 'â€', '™', 'quot', '🐶', ' ')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(part).map((parts) => parts.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (stored) => {
          const read = readText(stored)
          if (!read) return
          const points = [...stored]
          expect([...read.text].length).toBe(read.starts.length)
          read.starts.forEach((start, at) => {
            expect(start).toBeLessThan(read.ends[at] as number)
            expect(start).toBeGreaterThanOrEqual(at === 0 ? 0 : (read.starts[at - 1] as number))
            expect(read.ends[at]).toBeLessThanOrEqual(points.length)
          })
        },
      ),
    )
  })
})

describe('counted words', () => {
  it('are those that people read', () => {
    expect(['black&nbsp;dog', '<b>a</b> dog', '&nbsp;', 'dog&#39;s'].map(countWords)).toEqual([2, 2, 0, 1])
  })
})
