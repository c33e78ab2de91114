import { rm } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { judge } from '../../../src/pipeline/stages/judge.js'
import type { StageOutput } from '../../../src/pipeline/stages/stage-context.js'
import { runStage } from '../../../src/pipeline/tasks/run-stage.js'
import type { ProposalRow } from '../../../src/rows/rows.js'
import { readShard } from '../../../src/shards/read-shard.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { readJudgeFolder } from '../../../src/verify/network/judge-folder.js'
import { putShard } from '../../helpers/put-shard.js'
import { squares } from '../../helpers/squares.js'
import { stageAs, stageContext } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const { storage, shards } = await squares(8)
const [shard = ''] = shards
const dataset = { name: 'squares', storage, shards }
const elsewhere = { ...dataset, storage: openStorage(await temporaryFolder()) }

/** A teacher that is this sure of the first square of each phrase. */
async function label(stage: string, score: number): Promise<void> {
  const rows: ProposalRow[] = []
  for await (const { key, regions } of readShard(storage, 'grounding', 'gold', shard)) {
    const proposals = regions.map(({ phrase, xyxy }) => ({
      phrase,
      xyxy,
      score,
      label: null,
      contrast: null,
    }))
    rows.push({ key, teacher: 't', proposals })
  }
  await putShard(storage, 'proposals', stage, shard, rows)
}
await label('label', 0.5)
await label('other', 0.5)

const outputs: readonly StageOutput[] = [
  { name: 'gold', dataset, images: 'gold', phrases: 'gold', grounding: 'gold', missing: [] },
  { name: 'label', dataset, phrases: 'gold', proposals: 'label', missing: [] },
  { name: 'other', dataset, phrases: 'gold', proposals: 'other', missing: [] },
  { name: 'far', dataset: elsewhere, phrases: 'gold', proposals: 'far', missing: [] },
  { name: 'half', dataset, phrases: 'gold', grounding: 'gold', missing: ['00007'] },
  { name: 'words', dataset, phrases: 'gold', missing: [] },
]

describe('what a judge is trained on', () => {
  const looks = (needs: readonly string[], config: object = {}) => {
    const { context } = stageContext(undefined, outputs)
    return () => judge.looks?.(stageAs(judge, 'judge', needs, config), context)
  }

  it('is gold, with the proposals of one stage for its phrases', () => {
    for (const needs of [['gold'], ['gold', 'label'], ['label', 'gold', 'words']])
      expect(looks(needs)).not.toThrow()
  })

  it.each([
    [['label'], {}, 'Stage "judge" (judge) needs gold to be trained on'],
    [
      ['gold', 'label', 'other'],
      {},
      'takes proposals for "gold" from one stage, and needs several that give them: label, other',
    ],
    [['gold', 'far'], {}, 'the proposals "far" are for phrases of none of gold'],
    [['half'], {}, 'would be trained without 1 shards of "half" that failed'],
  ])('is refused of %j with %j', (needs, config, message) => {
    expect(looks(needs, config)).toThrow(message)
  })
})

describe('a stage judge', () => {
  it('makes a judge once, and anew where what it learned of has changed', async () => {
    const run = openStorage(await temporaryFolder())
    const config = { steps: 1, batch: 12, hold_out: 0.4, threads: 1 }
    const place = { outputs: new Map(outputs.map((output) => [output.name, output])), run }
    const make = async (needs: readonly string[], keys: object = {}) => {
      const { outcome, output, result } = await runStage(
        judge,
        stageAs(judge, 'net', needs, { ...config, ...keys }),
        place,
      )
      return { ran: outcome.ran, output, result }
    }
    const needs = ['gold', 'label']
    const first = await make(needs)
    expect(first).toMatchObject({ ran: 1, result: { steps: 1, pictures: 8 } })
    const made = first.output.judge
    expect(made).toMatchObject({ name: 'net', hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect((await readJudgeFolder(made?.folder ?? '')).words.has('square')).toBe(true)
    // What the card says and how fast it goes changes nothing of it.
    const again = await make(needs, { license: 'mit', checkpoint_every: 7 })
    expect([again.ran, again.output.judge?.hash]).toEqual([0, made?.hash])
    await label('label', 0.25)
    expect((await make(needs)).ran).toBe(1)
    // Who was killed between the model and its record makes it anew in its place.
    await rm(run.path('models/net/record.json'))
    const { context } = stageContext(run, outputs)
    for (const { look } of judge.looks?.(stageAs(judge, 'net', needs, config), context) ?? [])
      await expect(look()).resolves.toBeUndefined()
  })
})
