import { expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import type { Verdict } from '../../src/rows/rows.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { readSampleRows } from '../../src/train/samples/read-sample-rows.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const storage = openStorage(await temporaryFolder())
const text = 'a dog, a cat, a bird and a tree'
const phrases = ['a dog', 'a cat', 'a bird', 'a tree'].map((name) => {
  const start = text.indexOf(name)
  return { caption: 0, text: name, start, end: start + name.length, head: name.slice(2) }
})
const at = (x: number): Xyxy => [x, 0, x + 9, 9]
const said = (phrase: number, verdict: Verdict['verdict'], xyxy: Xyxy | null, person = true): Verdict => ({
  ...{
    phrase,
    xyxy,
    verdict,
    probability: verdict === 'reject' ? 0 : 1,
    redrawn: null,
    start: null,
    end: null,
  },
  ...{ judge: person ? 'ann' : 'network', person, reason: null, at: null },
})

it('of a phrase of which a person has seen boxes, and not said that they are all, more may be there', async () => {
  await createDataset(storage, { name: 'd', card: null, shards: ['00000'] })
  const rest = { url: null, sha256: '', phash: '0'.repeat(16), license: null, meta: null }
  const captions = [{ text, kind: 'web' as const }]
  await putShard(storage, 'images', null, '00000', [
    { key: 'k', image: { bytes: new Uint8Array([1]), path: null }, width: 99, height: 99, captions, ...rest },
  ])
  const { sha256 } = await putShard(storage, 'phrases', 'chunk', '00000', [{ key: 'k', phrases }])
  const inputs = { phrases: sha256 }
  const regions = [at(0), at(20), at(40), at(60)].map((xyxy, phrase) => {
    const { start, end } = phrases[phrase] as (typeof phrases)[number]
    return { caption: 0, phrase, start, end, xyxy, score: 1, origin: 'review:ann' }
  })
  await putShard(storage, 'grounding', 'kept', '00000', [{ key: 'k', regions }], inputs)
  const verdicts = [
    ...[said(0, 'accept', at(0)), said(0, 'complete', null)],
    // Added, and there by now; added, and not there.
    ...[said(1, 'add', at(20)), said(1, 'add', at(70)), said(1, 'complete', null)],
    ...[said(2, 'accept', at(40)), said(2, 'reject', at(50))],
    said(3, 'accept', at(60), false),
  ]
  await putShard(storage, 'verdicts', 'people', '00000', [{ key: 'k', verdicts }], inputs)
  const source = { name: 'd', storage, shards: ['00000'], grounding: 'kept', phrases: 'chunk' }
  for await (const { judged } of readSampleRows({ ...source, verdicts: 'people' }, '00000', {
    withBytes: false,
  }))
    expect(judged?.map(({ name, xyxy, probability }) => [name, xyxy?.[0] ?? null, probability])).toEqual([
      ['a dog', 0, 1],
      ['a cat', 20, 1],
      ['a cat', 70, 'missing'],
      ['a bird', 40, 1],
      ['a bird', 50, 0],
      ['a tree', 60, 1],
      ['a bird', null, 'missing'],
    ])
})
