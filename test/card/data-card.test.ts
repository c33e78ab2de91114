import { expect, it } from 'vitest'
import { labelAudit } from '../../src/audit/audit-labels.js'
import { dataCardText } from '../../src/card/data-card.js'
import { knownLimits, percent } from '../../src/card/ledger.js'
import type { Lineage, LineageStage } from '../../src/card/lineage.js'
import { markdownTable } from '../../src/card/markdown-table.js'
import { emptyStats } from '../../src/statistics/stats.js'

const stage = (more: Partial<LineageStage>): LineageStage => ({
  ...{ stage: 'photos', family: 'images', unit: 'pairs', in: 100, out: 90, joined: 0 },
  ...{ rejected: { http_404: 8, robots: 2 }, relabelled: {}, shards: 1, bytes: 9, seconds: 1, order: 0 },
  ...{ createdAt: '2026-11-30T01:00:00.000Z', startedAt: '2026-11-29T01:00:00.000Z' },
  ...{ endedAt: '2026-11-30T01:00:00.000Z', configHashes: ['c'], config: {}, software: ['groundmill 9.9.9'] },
  ...{ from: [], given: {}, files: { count: 1, bytes: 9, sha256: 'f'.repeat(64) }, recorded: {} },
  stats: { ...emptyStats, counts: { images: 90, captions: 95 }, tallies: { licenses: { CC0: 80 } } },
  ...more,
})
const lineage: Lineage = {
  ...{ dataset: 'photos', grounding: 'filter', card: null, shards: 1 },
  stages: [
    stage({}),
    stage({
      ...{ stage: 'label', family: 'proposals', unit: 'phrases', rejected: {} },
      given: { teacher: ['big'], model: ['a'.repeat(64)] },
    }),
    stage({
      ...{
        stage: 'filter',
        family: 'grounding',
        unit: 'proposals',
        in: 1000,
        out: 40,
        rejected: { score: 960 },
      },
      config: {
        rules: [
          { rule: 'score', min: 0.4 },
          { rule: 'label', synonyms: ['x'.repeat(99)] },
        ],
      },
      stats: {
        ...emptyStats,
        counts: { regions: 40, grounded_images: 30 },
        tallies: { origins: { big: 35, gold: 3, 'review:ann': 2 } },
      },
    }),
  ],
}

it('has the ledger with its rates, the teacher, the rules and what is not known', () => {
  const text = dataCardText({ about: {}, lineage, audits: [] })
  expect(text).toContain('| photos | http_404 | 8 pairs | 8.0 % |')
  expect(text).toContain('| filter | score | 960 proposals | 96.0 % |')
  expect(text).toContain(`| label | big | ${'a'.repeat(64)} |`)
  expect(text).toContain('- `score min 0.4`\n- `label synonyms (1 entry)`')
  expect(text).toContain('No audit of these labels is recorded.')
  expect(text).toContain('Nobody has said: data biases, personal sensitive information')
  expect(knownLimits(lineage, [])).toEqual([
    '35 of 40 boxes were found by a model (big 35) and have its errors.',
    'How many of these labels are right is not known: no audit of them is recorded.',
    '60 of 90 pictures have no box: that nothing is boxed does not say that nothing is there.',
    'Of 10 of 90 pictures no licence is known.',
    'groundmill does not look for faces, names or other personal information, and removes none.',
  ])
})

it('has what an audit says, with its interval, and how much people have reviewed', () => {
  const audit = labelAudit()
  for (const right of [true, true, true, false])
    audit.add({
      labels: [{ kinds: ['all=all'], score: 0.5, right, chance: 0.1 }],
      phrases: [],
      hasTruth: true,
      unasked: 0,
    })
  const [all] = audit.summary().kinds
  const text = dataCardText({
    about: {},
    lineage,
    audits: [{ name: 'held', summary: audit.summary() }],
    reviewed: 7,
  })
  const [low, high] = all?.interval ?? [0, 0]
  expect(text).toContain(
    `- audit "held": 4 labels judged, precision 75.0 % (95 % interval ${percent(low)} to ${percent(high)})`,
  )
  expect(text).toContain('people have said something of 7 boxes and phrases')
  expect(text).not.toContain('is not known: no audit')
})

it('tells shares that are not none from none, and cells from the table around them', () => {
  expect([0, 1, 0.5, 0.00015, 0.000001, 0.9999].map(percent)).toEqual([
    ...['0 %', '100 %', '50.0 %', '0.015 %', '< 0.001 %', '99.990 %'],
  ])
  expect(markdownTable(['a', 'n'], [['x|y\n<b>', 3]])).toBe('| a | n |\n| --- | ---: |\n| x\\|y &lt;b> | 3 |')
})
