import { describe, expect, it } from 'vitest'
import { robotsTagDirectives, tdmReservation } from '../../../src/ingest/fetch/opt-out.js'

describe('X-Robots-Tag', () => {
  it.each<[string | string[] | undefined, string[]]>([
    [undefined, []],
    ['noai', ['noai']],
    ['NoAI, noimageai', ['noai', 'noimageai']],
    ['none', ['noindex', 'nofollow']],
    ['groundmill: noai', ['noai']],
    ['otherbot: noai', []],
    ['otherbot: noai, noindex', []],
    ['otherbot: noai, groundmill: noindex, noimageai', ['noindex', 'noimageai']],
    ['*: noindex', ['noindex']],
    [
      'unavailable_after: 25 Jun 2030 15:00:00 PST, noai',
      ['unavailable_after: 25 jun 2030 15:00:00 pst', 'noai'],
    ],
    [['otherbot: noindex', 'noai'], ['noai']],
    ['max-image-preview: none', ['max-image-preview: none']],
    [' , ,', []],
    ['otherbot : noai, groundmill : noindex', ['noindex']],
    ['two words: noai', ['two words: noai']],
    ['groundmill: none', ['noindex', 'nofollow']],
    ['groundmill:', []],
    ['noai, max-snippet: 5, noindex', ['noai', 'max-snippet: 5', 'noindex']],
    ['otherbot: noai, max-video-preview: -1', []],
    [[], []],
  ])('%j holds for groundmill as %j', (header, directives) => {
    expect([...robotsTagDirectives(header, 'groundmill')]).toEqual(directives)
  })
})

describe('tdm-reservation', () => {
  it.each([
    [{}, undefined],
    [{ 'tdm-reservation': 'yes' }, undefined],
    [{ 'tdm-reservation': '0' }, { reserved: false, policy: null }],
    [
      { 'tdm-reservation': ['1', '0'], 'tdm-policy': [' a ', 'b'] },
      { reserved: true, policy: 'a' },
    ],
    [{ 'tdm-reservation': [] }, undefined],
    [{ 'tdm-reservation': ' 1 ' }, { reserved: true, policy: null }],
    [
      { 'tdm-reservation': '1', 'tdm-policy': 'https://a.example/policy.json' },
      { reserved: true, policy: 'https://a.example/policy.json' },
    ],
  ])('%j is read as %j', (headers, reservation) => {
    expect(tdmReservation(headers)).toEqual(reservation)
  })
})
