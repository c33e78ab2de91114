import { describe, expect, it } from 'vitest'
import { parseLicense } from '../../../src/ingest/fetch/license-terms.js'
import { inBounds } from '../../helpers/in-bounds.js'

const base = new URL('https://a.example/license.xml')
const rsl = (contents: string) => `<rsl xmlns="https://rslstandard.org/rsl">${contents}</rsl>`
const content = (licenses: string, attributes = 'url="/"') => `<content ${attributes}>${licenses}</content>`
const refusal = (text: string, url = 'https://a.example/b/c.jpg?d') =>
  parseLicense(text, base)?.refusal(new URL(url))

describe('a licence', () => {
  it.each<[string, string | undefined]>([
    ['<license><permits type="usage">all</permits></license>', undefined],
    ['<license><permits type="usage">search ai-train</permits></license>', undefined],
    ['<license><permits>AI-All</permits></license>', undefined],
    ['<license><permits type="usage">train-ai</permits><payment type="free"/></license>', undefined],
    ['<license><permits type="usage">search ai-input</permits></license>', 'it does not permit training'],
    ['<license><permits type="usage">ai-training</permits></license>', 'it does not permit training'],
    ['<license/>', undefined],
    ['', undefined],
    ['<copyright type="person">A</copyright>', undefined],
    ['<license><prohibits type="usage">ai-train</prohibits></license>', 'it does not permit training'],
    ['<license><prohibits>search</prohibits></license>', undefined],
    [
      '<license><permits>all</permits><prohibits>train-genai</prohibits></license>',
      'it does not permit training',
    ],
    [
      '<license><payment type="crawl"><amount currency="USD">1</amount></payment></license>',
      'it asks for a payment of the kind "crawl"',
    ],
    [
      '<license><payment><custom>https://a.example/</custom></payment></license>',
      'it asks for a payment of the kind "custom"',
    ],
    ['<license><payment type="attribution"/></license>', 'it asks for a payment of the kind "attribution"'],
    ['<license><permits type="geo">EU</permits></license>', 'it is for certain users or places'],
    ['<license><prohibits type="user">commercial</prohibits></license>', 'it is for certain users or places'],
    ['<license><prohibits type="ai-train"/></license>', 'it is for certain users or places'],
    // XML tells capitals apart, and people do not.
    ['<License><Prohibits Type="Usage">All</Prohibits></License>', 'it does not permit training'],
    // One of several will do.
    ['<license><permits>search</permits></license><license><permits>ai-train</permits></license>', undefined],
    [
      '<license><prohibits>all</prohibits></license><license><payment type="use"/></license>',
      'it does not permit training',
    ],
  ])('%s: %s', (licenses, why) => {
    expect(refusal(rsl(content(licenses)))).toBe(why)
  })

  it('whose server hands out tokens is not to be had without one', () => {
    const asked = content('<license><permits>all</permits></license>', 'url="/" server="https://l.example"')
    expect(refusal(rsl(asked))).toBe('a licence must be had from its server')
  })

  it('is of the addresses that its patterns match, the longest first', () => {
    const no = '<license><prohibits>all</prohibits></license>'
    const yes = '<license><permits>all</permits></license>'
    const text = rsl(content(no) + content(yes, 'url="/b/"') + content(no, 'url="/b/*.png$"'))
    expect(refusal(text)).toBeUndefined()
    expect(refusal(text, 'https://a.example/b/c.png')).toBeDefined()
    expect(refusal(text, 'https://a.example/b/c.png?x')).toBeUndefined()
    expect(refusal(text, 'https://a.example/other')).toBeDefined()
    expect(refusal(text, 'https://b.example/other')).toBeUndefined()
    const ofOther = rsl(content(no, 'url="https://b.example/*"') + content(no, 'url="c.example"'))
    expect(refusal(ofOther)).toBeUndefined()
    expect(refusal(ofOther, 'https://b.example/x')).toBeDefined()
    // Of two that are as long both count.
    for (const both of [content(no) + content(yes), content(yes) + content(no)])
      expect(refusal(rsl(both))).toBeDefined()
  })

  it.each([
    ['', true],
    ['url=""', true],
    ['url="*"', true],
    ['url=" / "', true],
    ['url="//A.example/b/"', true],
    ['url="https://*/b/*"', true],
    ['url="https://*.example/"', true],
    ['url="HTTPS://A.EXAMPLE:443"', true],
    ['url="https://*.other/"', false],
    ['url="https://a.example.other/"', false],
    ['url="b/*"', true],
    ['url="c/"', false],
    ['url="https://[/"', false],
  ])('of a content with %j is of a picture: %s', (attributes, isOfIt) => {
    const text = rsl(content('<license><prohibits>all</prohibits></license>', attributes))
    expect(refusal(text) !== undefined).toBe(isOfIt)
  })

  it('may be in a feed, and have prefixes', () => {
    const inFeed = `<?xml version="1.0"?><rss xmlns:rsl="https://rslstandard.org/rsl"><channel><item><rsl:content url="/"><rsl:license><rsl:prohibits type="usage">all</rsl:prohibits></rsl:license></rsl:content></item></channel></rss>`
    expect(refusal(inFeed)).toBe('it does not permit training')
  })

  it.each([
    ['a page', '<!doctype html><html><body>By using this</body></html>'],
    ['a broken document', '<rsl><content url="/">'],
    ['another document', '<sitemap/>'],
    ['a feed without one', '<rss><channel><item/></channel></rss>'],
    ['entities of its own', '<!DOCTYPE rsl [<!ENTITY a "aaaa">]><rsl><content url="/">&a;</content></rsl>'],
    ['text', 'all rights reserved'],
    ['nothing', ''],
    ['depth', '<rsl>'.repeat(50_000)],
    ['more than is read', rsl(content('').repeat(10_001))],
  ])('is not %s', (_, text) => {
    expect(parseLicense(text, base)).toBeUndefined()
  })

  it('takes bounded time, whatever it is', async () => {
    const worst = [
      rsl(content('<license/>', `url="/${'*a'.repeat(2000)}"`).repeat(100)),
      rsl(content('<license><permits>x</permits></license>').repeat(5000)),
      rsl(`${'<a>'.repeat(30)}${content('')}${'</a>'.repeat(30)}`),
    ]
    const long = new URL(`https://a.example/${'a'.repeat(100_000)}`)
    for (const text of worst) await inBounds(() => parseLicense(text, base)?.refusal(long))
  })
})
