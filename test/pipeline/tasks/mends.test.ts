import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { filesBelow } from '../../../src/base/files/files-below.js'
import { isReason } from '../../../src/pipeline/tasks/mends.js'

// What a row of boxes is left out for is none of these: its picture stays.
const ofBoxes = /_box$/

it('knows every reason that the readers of sources give a row', async () => {
  const reasons = new Set<string>()
  for (const folder of ['src/ingest', 'src/formats'])
    for (const file of (await filesBelow(folder)).filter((name) => name.endsWith('.ts'))) {
      const code = await readFile(`${folder}/${file}`, 'utf8')
      for (const [, reason = ''] of code.matchAll(/(?:new Reject\(\s*|reason: )'(\w+)'/g)) reasons.add(reason)
      for (const [, reason = ''] of code.matchAll(/'(shared_id|unknown_(?!keys)\w+)'/g)) reasons.add(reason)
    }
  expect(reasons.size).toBeGreaterThan(20)
  expect([...reasons].filter((reason) => !ofBoxes.test(reason) && !isReason(reason))).toEqual([])
  expect(isReason('bad_ulr')).toBe(false)
})
