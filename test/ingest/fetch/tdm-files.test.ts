import { expect, it } from 'vitest'
import { Reject } from '../../../src/ingest/fetch/reject.js'
import { createTdmFiles, parseTdmFile } from '../../../src/ingest/fetch/tdm-files.js'
import { Transient } from '../../../src/ingest/fetch/transient.js'
import { inBounds } from '../../helpers/in-bounds.js'

it.each<[unknown, boolean | undefined]>([
  [[{ location: '/', 'tdm-reservation': 1 }], true],
  [{ location: '/', 'tdm-reservation': 1 }, true],
  [[{ location: '/b/', 'tdm-reservation': 1 }], undefined],
  // The first that matches counts, however short it is.
  [
    [
      { location: '/', 'tdm-reservation': 0 },
      { location: '/a/', 'tdm-reservation': 1 },
    ],
    false,
  ],
  [[{ location: 'a/*.jpg$', 'tdm-reservation': '1' }], true],
  [[{ location: '/', 'tdm-reservation': true }], undefined],
  [[{ location: '/', 'tdm-reservation': 1e300 }, null, 3, [], { 'tdm-reservation': 1 }], undefined],
  [[{ location: '', 'tdm-reservation': 1 }], undefined],
  [null, undefined],
  ['text', undefined],
])('tdmrep.json: %j says %s', (value, reserved) => {
  const rule = parseTdmFile(JSON.stringify(value)).find(({ matches }) => matches('/a/b.jpg'))
  expect(rule?.reserved).toBe(reserved)
})

it.each([
  '',
  '<html>',
  '[',
  '['.repeat(200_000),
  `[${'{"location":"/*a*b","tdm-reservation":1},'.repeat(9999)}0]`,
])('tdmrep.json of %.20j is read in bounds', async (text) => {
  const rules = await inBounds(() => parseTdmFile(text))
  expect(rules.length).toBeLessThanOrEqual(1000)
  const path = `/${'a'.repeat(2000)}`
  await inBounds(() => rules.map(({ matches }) => matches(path)))
})

it.each<[{ status: number; text: string } | Error, number]>([
  [{ status: 404, text: '' }, 1],
  [{ status: 503, text: '' }, 1],
  [new Transient('timeout', 'too long'), 1],
  [new Reject('no_such_host', 'none'), 1],
])('of a server that answers %j nothing is known, and the crawl goes on', async (answer, times) => {
  let asked = 0
  const files = createTdmFiles(async () => {
    asked++
    if (answer instanceof Error) throw answer
    return answer
  })
  const url = new URL('https://a.example/b.jpg')
  for (let count = 0; count < 3; count++) await files.read(url)
  expect(files.reservation(url)).toBeUndefined()
  expect(asked).toBe(times)
})
