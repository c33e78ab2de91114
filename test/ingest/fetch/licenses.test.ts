import { describe, expect, it } from 'vitest'
import { createLicenses, linkedLicenses, wantsLicense } from '../../../src/ingest/fetch/licenses.js'
import { Reject } from '../../../src/ingest/fetch/reject.js'
import type { RobotsAnswer } from '../../../src/ingest/fetch/robots.js'
import { Transient } from '../../../src/ingest/fetch/transient.js'

const free = '<rsl><content url="/"><license><permits>all</permits></license></content></rsl>'
const none = '<rsl><content url="/"><license><prohibits>all</prohibits></license></content></rsl>'

function licensesOf(answer: (url: URL) => RobotsAnswer) {
  const asked: string[] = []
  const licenses = createLicenses(async (url) => {
    asked.push(url.href)
    return answer(url)
  })
  const check = (license: string, url = 'https://a.example/b.jpg') =>
    licenses.check(license, new URL(url), 'https://a.example/folder/b.jpg').then(
      () => 'taken',
      (error: Error) => error,
    )
  return { check, asked }
}

describe('licences', () => {
  it('are asked for once, at the address that the server names', async () => {
    const { check, asked } = licensesOf(({ pathname }) => ({
      status: 200,
      text: pathname === '/no.xml' ? none : free,
    }))
    expect(await check('/license.xml')).toBe('taken')
    expect(await check('https://a.example/license.xml', 'https://a.example/c.jpg')).toBe('taken')
    expect(asked).toEqual(['https://a.example/license.xml'])
    expect(await check('/no.xml')).toMatchObject({
      reason: 'license_required',
      message:
        'https://a.example/b.jpg has the licence https://a.example/no.xml: it does not permit training',
    })
  })

  it.each<[string, RobotsAnswer | Error, string]>([
    ['is not there', { status: 404, text: '' }, 'it answered 404'],
    ['is a page', { status: 200, text: '<html></html>' }, 'it is no document of RSL'],
    [
      'cannot be reached',
      new Reject('no_such_host', 'no host a.example'),
      'it cannot be had (no host a.example)',
    ],
  ])('that %s is not known to let anybody train, and is asked for once', async (_, answer, why) => {
    const { check, asked } = licensesOf(() => {
      if (answer instanceof Error) throw answer
      return answer
    })
    for (let count = 0; count < 2; count++)
      expect(await check('/l.xml')).toMatchObject({
        reason: 'license_required',
        message: expect.stringContaining(why),
      })
    expect(asked).toHaveLength(1)
  })

  it.each([{ status: 503, text: '' }, new Transient('timeout', 'too long', 70)])(
    'that fails for the moment is asked for again: %s',
    async (answer) => {
      const { check, asked } = licensesOf(() => {
        if (answer instanceof Error) throw answer
        return answer
      })
      for (let count = 0; count < 2; count++) {
        const said = await check('/l.xml')
        expect(said).toBeInstanceOf(Transient)
        expect(said).toMatchObject({ reason: 'license_unreachable' })
      }
      expect(asked).toHaveLength(2)
    },
  )

  it('whose address is none are not known', async () => {
    const { check, asked } = licensesOf(() => ({ status: 200, text: free }))
    expect(await check('http://[')).toMatchObject({ reason: 'license_required' })
    expect(asked).toEqual([])
  })
})

it.each<[string | string[] | undefined, string[]]>([
  ['<https://a.example/l.xml>; rel="license"; type="application/rsl+xml"', ['https://a.example/l.xml']],
  ['</a>; rel=next, </l.xml>; type=application/rsl+xml; rel=license', ['/l.xml']],
  ['</l.xml>; rel="license next"; type="application/rsl+xml; charset=utf-8"', ['/l.xml']],
  [['</a>; rel=next', '</l.xml>; rel=license; type=application/rsl+xml'], ['/l.xml']],
  ['</l.xml>; rel=license', []],
  ['</l.xml>; rel=next; type=application/rsl+xml', []],
  [undefined, []],
  [`${'<'.repeat(50_000)}a`, []],
])('Link: %.80j names %j', (header, found) => {
  expect(linkedLicenses(header)).toEqual(found)
})

it.each<[string | string[] | undefined, boolean]>([
  ['License', true],
  ['License error="invalid_request", error_description="a"', true],
  ['Basic realm="a", License error="b"', true],
  [['Basic realm="a"', 'license'], true],
  ['Basic realm="License"', false],
  ['Licensed', false],
  [undefined, false],
])('WWW-Authenticate: %j wants a licence: %s', (header, wanted) => {
  expect(wantsLicense(header)).toBe(wanted)
})
