import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { shownNames } from '../../../src/inspect/view/shown-measures.js'
import { firstView, readView, type View, writeView } from '../../../src/inspect/view/view.js'

/** A view in which nothing is as it is at first. */
const other: View = {
  tab: 'compare',
  grounding: 'a&b=c',
  against: 'before',
  threshold: 0.35,
  search: 'head:dog "red car"',
  bins: Object.fromEntries(shownNames.map((name) => [name, [1, 3]])),
  heads: ['dog', 'a.b'],
  hosts: ['', 'host.example'],
  boxes: 'without',
  only: 'to-check',
  truth: 'gold',
  verdicts: ['wrong', 'missed'],
  sort: 'worst',
  labels: false,
  page: 4,
  open: '00001:7',
  same: true,
  stage: 'filter',
  reason: 'score',
  reviewer: 'Ann',
  queue: 'random',
  seed: 3,
}

it('a view is read from its address as it was written', () => {
  for (const [name, value] of Object.entries(firstView))
    expect([name, other[name as keyof View]]).not.toEqual([name, value])
  expect(readView(writeView(other))).toEqual(other)
  expect(writeView(firstView)).toBe('')
  for (const sort of ['dataset', 'best', 'worst', 'disagreement'] as const)
    expect(readView(`sort=${sort}`)).toEqual({ ...firstView, sort })
  const nonsense =
    'tab=x&t=2&sort=x&labels=2&boxes=x&verdict=x.right.&page=-1&open=../x:1&score=99&score=a&same=x'
  expect(readView(nonsense)).toEqual({ ...firstView, verdicts: ['right'] })
})

it('docs/inspect.md lists the keys of the address', async () => {
  const page = await readFile('docs/inspect.md', 'utf8')
  const section = page.slice(page.indexOf('## The address'))
  const rows = section
    .slice(0, section.indexOf('\n## ', 3))
    .split('\n')
    .filter((line) => /^\| `/.test(line))
  const listed = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, key]) => key),
  )
  const written = new Set(new URLSearchParams(writeView(other)).keys())
  expect(listed.sort()).toEqual([...written, 'token'].sort())
})
