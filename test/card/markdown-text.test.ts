import { expect, it } from 'vitest'
import { aboutConfig } from '../../src/card/about.js'
import { dataCardText } from '../../src/card/data-card.js'
import type { Lineage } from '../../src/card/lineage.js'
import { markdownTable } from '../../src/card/markdown-table.js'
import { code, codeBlock, inline, paragraphs } from '../../src/card/markdown-text.js'
import { trainingSummaryText } from '../../src/card/training-summary.js'

const odd = 'a | <b>\n## evil\n```\n\u202e\u001b[31m`x`\u2028'

it('a stranger’s text stays within its line', () => {
  expect(inline(odd)).toBe('a | &lt;b> ## evil ``` \ufffd\ufffd[31m`x`')
  expect(markdownTable(['a'], [['x\\|y\\'], ['<i>\n|']])).toContain('| x\\\\\\|y\\\\ |\n| &lt;i> \\| |')
  expect([code('a'), code('a`b'), code('``')]).toEqual(['`a`', '`` a`b ``', '``` `` ```'])
  expect(codeBlock('```\nout\n```')).toBe('````\n```\nout\n```\n````')
})

it.each([
  ['a\nb', 'a\nb'],
  ['```\nopen', '```\nopen\n```'],
  ['~~~~\n```\n~~~', '~~~~\n```\n~~~\n~~~~'],
  ['```js\nx\n```\ny', '```js\nx\n```\ny'],
  ['``` `x\ny', '``` `x\ny'],
  ['<!-- open', '&lt;!-- open'],
])('paragraphs %j take nothing of what follows: %j', (text, written) => {
  expect(paragraphs(text)).toBe(written)
})

it('no text of a card or of its source makes a heading, HTML or a bar of the papers', () => {
  const card = { title: odd, license: odd, homepage: odd, paper: odd }
  const lineage: Lineage = { dataset: 'd', grounding: 'g', card, shards: 0, stages: [] }
  const texts = ['license', 'data_collection', 'data_limitations', 'data_biases', 'data_use_cases'] as const
  const about = aboutConfig.parse({
    ...Object.fromEntries([...texts, 'title', 'description', 'citation'].map((key) => [key, odd])),
    creators: [{ name: odd }],
  })
  const papers = [
    dataCardText({ about: { ...about, description: 'none' }, lineage, audits: [] }),
    trainingSummaryText({ about, lineage, hosts: [], isSmall: true }),
  ]
  for (const paper of papers) {
    expect(paper.replace(/^````\n.*?^````$/gms, '')).not.toMatch(/^## evil|<b>/m)
    for (const control of ['\u202e', '\u001b', '\u2028']) expect(paper).not.toContain(control)
  }
  expect(papers[1]).toMatch(/an unknown number of bytes; an unknown number of them with a box/)
})

it('an address with white space is refused, for Croissant has none, and so is a day that there is not', () => {
  for (const address of [{ url: 'http://a.example/b c' }, { derived_from: ['http://a.example/b c'] }])
    expect(aboutConfig.safeParse(address).error?.message).toContain('without white space')
  const day = aboutConfig.safeParse({ date_published: '2026-13-45' })
  expect(day.error?.issues.map(({ message }) => message)).toEqual(['expected a day, YYYY-MM-DD'])
})
