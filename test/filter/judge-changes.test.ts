import { expect, it } from 'vitest'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { compareGroundings } from '../../src/filter/compare-groundings.js'
import { filterConfig } from '../../src/filter/config.js'
import { filterShard } from '../../src/filter/filter-shard.js'
import { judgeChanges } from '../../src/filter/judge-changes.js'
import type { StageVerdict } from '../../src/filter/rule/rule.js'
import type { VerdictRow } from '../../src/rows/rows.js'
import { readCommit } from '../../src/shards/commit.js'
import { readShard } from '../../src/shards/read-shard.js'
import { putShard } from '../helpers/put-shard.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'

const said = (stage: string, judge: string, verdict: StageVerdict['verdict']): StageVerdict => ({
  ...{ stage, judge, verdict, phrase: 0, xyxy: [0, 0, 9, 9], probability: 0.5, redrawn: null },
  ...{ start: null, end: null, person: false, reason: null, at: null },
})

it('counts what each judge of each stage said of lost and of added regions, each region once', () => {
  const changes = judgeChanges()
  // Both groundings may have been made of the same verdicts.
  changes.add('lost', [said('views', 'teacher', 'reject'), said('views', 'teacher', 'reject')])
  changes.add('lost', [said('views', 'teacher', 'accept'), said('people', 'ann', 'redraw')])
  changes.add('added', [said('people', 'ann', 'add')])
  changes.add('added', [])
  const none = { accepted: 0, rejected: 0 }
  expect(changes.all()).toEqual([
    {
      ...{ stage: 'people', judge: 'ann' },
      ...{ lost: { ...none, rejected: 1 }, added: { ...none, accepted: 1 } },
    },
    { stage: 'views', judge: 'teacher', lost: { accepted: 1, rejected: 1 }, added: none },
  ])
})

it('is told of a grounding that was made of verdicts, as long as these are as they were', async () => {
  const { url, storage } = await makeSmallDataset()
  const shard = '00000'
  const rows: VerdictRow[] = []
  let regions = 0
  for await (const { key, regions: own } of readShard(storage, 'grounding', 'round-1', shard)) {
    const reject = { ...said('', 'judge', 'reject'), probability: 0.1 }
    rows.push({ key, verdicts: own.map(({ phrase, xyxy }) => ({ ...reject, phrase, xyxy })) })
    regions += own.length
  }
  const { sha256 } = await putShard(storage, 'verdicts', 'checked', shard, rows)
  const made = await readCommit(storage, 'grounding', 'round-1', shard)
  const rules = [{ rule: 'score', min: 0.3 }, { rule: 'nms', iou: 0.5 }, { rule: 'verdict' }]
  await filterShard(
    {
      ...{ storage, shard, stage: 'judged', configHash: 'c' },
      inputs: { ...made?.inputs, 'verdicts checked': sha256 },
    },
    { ...filterConfig.parse({ rules }), phrases: 'chunk', proposals: 'label-1', verdicts: ['checked'] },
  )
  const compare = async () => compareGroundings(await openDataset(url), ['round-1', 'judged'], { top: 1 })
  const { why, judges, notes } = await compare()
  expect(regions).toBeGreaterThan(0)
  expect([...why.lost]).toEqual([['verdict', regions]])
  const none = { accepted: 0, rejected: 0 }
  expect(judges).toEqual([
    { stage: 'checked', judge: 'judge', lost: { accepted: 0, rejected: regions }, added: none },
  ])
  expect(notes).toEqual([])

  await putShard(
    storage,
    'verdicts',
    'checked',
    shard,
    rows.map(({ key }) => ({ key, verdicts: [] })),
  )
  const changed = await compare()
  expect([...changed.why.lost]).toEqual([['unknown', regions]])
  expect(changed.notes).toEqual([
    expect.stringContaining('"judged" read besides its proposals are not there as'),
  ])
})
