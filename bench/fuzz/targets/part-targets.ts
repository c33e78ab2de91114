import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { UserError } from '../../../src/base/user-error.js'
import { checkUnfinished } from '../../../src/catalog/check-unfinished.js'
import { isWindowAnswers } from '../../../src/evaluate/evaluate-model.js'
import { isMined } from '../../../src/mine/mine-shard.js'
import { isProposalRow } from '../../../src/rows/is-row.js'
import { rowParts } from '../../../src/shards/row-parts.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { type FuzzTarget, jsonSample } from '../target.js'

const proposal = { phrase: 0, xyxy: [1, 2, 30, 40.5], score: 0.5, label: null }
const negative = { text: 'a cat', evidence: 'gold', phrase: -1, score: 0.25 }
const mined = { key: 'a', negatives: [negative], exhaustive: true, partial: ['dog'], teacher: 't' }
const scores = { place: 0.5, presence: 0.75 }

/** What was kept of work that was stopped: by the name of its record, rows of it, and what they are. */
const kept: readonly (readonly [string, readonly object[], (value: unknown) => value is unknown])[] = [
  [
    'proposals/label/00000.json',
    [
      { key: 'a', proposals: [proposal, { ...proposal, label: 'dog', contrast: 0.1 }], teacher: 't' },
      { key: 'b', proposals: [], teacher: 't' },
    ],
    isProposalRow,
  ],
  ['negatives/mined/00000.json', [{ row: mined, left: [{ text: 'x', why: 'too_easy' }] }], isMined],
  [
    'evaluations/scores.json',
    [
      {
        keys: ['a', 'b'],
        phrases: [{ image: 0, predicted: [[1, 2, 3, 4]], targets: [[1, 2, 3, 5]] }],
        contrasts: [
          { kind: 'colour', stated: scores, swapped: scores, absent: true, found: false, chance: 0.5 },
        ],
        found: [{ image: 1, category: 0, bbox: [1, 2, 3, 4], score: 0.5 }],
      },
    ],
    isWindowAnswers,
  ],
]

/** Parts of shards and of scores: what is damaged, or of others, is made again. */
export async function partTargets(folder: string): Promise<FuzzTarget[]> {
  const storage = openStorage(folder)
  const made = { configHash: 'c', inputs: {} }
  const targets: FuzzTarget[] = []
  for (const [record, rows, isRow] of kept) {
    const parts = rowParts(storage, record, made, isRow, 0)
    await mkdir(dirname(storage.path(record)), { recursive: true })
    await parts.add(rows)
    const [name = ''] = await storage.list(dirname(record))
    targets.push({
      name: `part: ${record}`,
      samples: [new Uint8Array(gzipSync(jsonSample(rows), { level: 1 }))],
      file: storage.path(name),
      async read() {
        let count = 0
        for await (const _ of rowParts(storage, record, made, isRow).kept()) count++
        const file = { name, size: 1, modified: Date.now() }
        if ((await checkUnfinished(storage, file, false))?.kind !== 'busy') throw new Error('it is done')
        if (count === 0) throw new UserError('It is made again: it has no rows of this work.')
      },
    })
  }
  return targets
}
