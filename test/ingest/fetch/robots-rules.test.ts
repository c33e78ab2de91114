import fc from 'fast-check'
import robotsParser from 'robots-parser'
import { describe, expect, it } from 'vitest'
import { parseRobots } from '../../../src/ingest/fetch/robots-rules.js'
import { inBounds } from '../../helpers/in-bounds.js'

/** What another reader of robots.txt says. Its types are of another module system than its code. */
const parseOther = robotsParser as unknown as (
  url: string,
  text: string,
) => {
  isAllowed(url: string, token: string): boolean | undefined
  getCrawlDelay(token: string): number | undefined
}
const origin = 'http://pictures.example'
const isAllowed = (text: string, path: string) => parseRobots(text, 'groundmill').isAllowed(path)

const piece = fc.constantFrom('a', 'b', 'aa', 'ab', '/', '.jpg', '*', '**', '$', '?', '=', '%2F', '%e4', 'ä')
const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`)
const path = fc
  .array(fc.constantFrom('a', 'b', 'aa', '/', '.jpg', '$', '?', '=', '%2f', '%E4', 'ä'), { maxLength: 12 })
  .map((pieces) => {
    const { pathname, search } = new URL(`${origin}/${pieces.join('')}`)
    return pathname + search
  })
const rule = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(fc.constantFrom('Disallow', 'allow', 'DISALLOW '), pattern) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('Crawl-delay'), fc.constantFrom('1', '0.5', '-1', 'x')) },
)
const agents = fc.array(fc.constantFrom('*', 'groundmill', 'GroundMill/2.0', 'otherbot'), {
  minLength: 1,
  maxLength: 3,
})
const text = fc
  .array(fc.tuple(agents, fc.array(rule, { minLength: 1, maxLength: 5 })), { maxLength: 4 })
  .map((groups) =>
    groups
      .flatMap(([names, rules]) => [
        ...names.map((name) => `User-agent: ${name}`),
        ...rules.map(([name, value]) => `${name}: ${value} # so it is`),
        '',
      ])
      .join('\r\n'),
  )

describe('rules of robots.txt', () => {
  it('allow and forbid what another reader says that they do', () => {
    fc.assert(
      fc.property(text, fc.array(path, { minLength: 1, maxLength: 5 }), (robots, paths) => {
        const other = parseOther(`${origin}/robots.txt`, robots)
        const own = parseRobots(robots, 'groundmill')
        for (const one of paths)
          expect(own.isAllowed(one), one).toBe(other.isAllowed(origin + one, 'groundmill') !== false)
        expect(own.crawlDelay).toBe(other.getCrawlDelay('groundmill'))
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    // RFC 9309, 2.2.2: what needs no escape is the same with it.
    ['/foo/bar/%62%61%7A', '/foo/bar/baz', false],
    ['/foo/bar/ツ', '/foo/bar/%E3%83%84', false],
    ['/foo/bar%3f', '/foo/bar%3Fa', false],
    ['/foo/bar%2Fa', '/foo/bar/a', true],
    ['/a[1].jpg', '/a[1].jpg', false],
    ['/a*$', '/a/b', false],
    ['*.jpg$', '/a.jpg', false],
    ['*.jpg$', '/a.jpg?b', true],
    ['/aba*ba$', '/aba', true],
    ['/aba*ba$', '/ababa', false],
    ['private', '/private', true],
    ['', '/a.jpg', true],
    ['/a\ud800', '/a', true],
  ])('of "Disallow: %s" hold for %s: allowed is %s', (value, address, wanted) => {
    expect(isAllowed(`User-agent: *\nDisallow: ${value}`, address)).toBe(wanted)
  })

  it('are those of all groups that name the crawler, and lines of another kind change nothing', () => {
    const robots = `\uFEFFUser-agent: a\nSitemap: http://a.example/\nUser-agent: groundmill\nDisallow: /a
User-agent: *\nDisallow: /\n\nno line\nUser-agent: Groundmill/1\nDisallow: /b`
    expect(['/a', '/b', '/c'].map((one) => isAllowed(robots, one))).toEqual([false, false, true])
    // A group without rules is one all the same.
    expect(isAllowed('User-agent: *\nDisallow: /\nUser-agent: groundmill', '/a')).toBe(true)
  })

  it('are held against an address in bounded time, whatever they are', async () => {
    const half = 256_000
    const long = `/${'a'.repeat(1_000_000)}`
    const lines = (line: string) => `User-agent: *\n${`${line}\n`.repeat((2 * half) / line.length)}`
    const texts = [
      `User-agent: *\nDisallow: /${'*a'.repeat(half)}`,
      lines(`Disallow: /${'*a'.repeat(1000)}b`),
      lines(`Disallow: /${'*aa'.repeat(32)}b`),
      lines(`Disallow: /*${'a'.repeat(1000)}b*${'a'.repeat(1000)}b`),
      lines('Disallow: /*a*a*a*a*a*a*a*b'),
      lines('Disallow: /a'),
      lines('Content-Usage: /*a*a*a*a*a*a*a*b train-ai=n'),
      lines('Content-Usage: a=n'),
      `User-agent: *\nContent-Usage: ${Array.from({ length: half / 5 }, (_, at) => `a${at}=n`)}`,
      `User-agent: *\n${'\n'.repeat(2 * half)}`,
      `${'User-agent: *\n'.repeat(half / 7)}Disallow: /`,
      'Disallow: '.repeat(half / 5),
    ]
    for (const robots of texts) {
      const rules = await inBounds(() => parseRobots(robots, 'groundmill'), robots.slice(0, 40))
      await inBounds(
        () => {
          for (let count = 0; count < 5; count++) {
            rules.isAllowed(long)
            rules.disallowedUses(long)
          }
        },
        robots.slice(0, 40),
      )
      // Each of fifty thousand uses is counted.
      expect(rules.size).toBeLessThan(6_000_000)
    }
  })

  it('say what may be done with what lies below a path, the longest alone', () => {
    const robots = `User-Agent: *
Allow: /
Disallow: /never/
Content-Usage: / train-ai=n
Content-Usage: /ai-ok/ train-ai=y
content-usage:/ai-ok/*.png$\ttrain-ai=n, search=n # and no more
Content-Usage: /twice/ search=y
Content-Usage: /twice/ search=n
Content-Usage: /odd/ Train-AI=n
Content-Usage: /bare
Content-Signal: ai-train=yes, ai-input=no
Content-Signal: /signal/ ai-train=no

User-Agent: ExampleBot
Content-Usage: / train-ai=y`
    const uses = (path: string, token = 'groundmill') => [...parseRobots(robots, token).disallowedUses(path)]
    expect(uses('/test')).toEqual(['train-ai', 'ai-input'])
    expect(uses('/ai-ok/test')).toEqual(['ai-input'])
    expect(uses('/ai-ok/a.png')).toEqual(['train-ai', 'search', 'ai-input'])
    expect(uses('/ai-ok/a.png?b')).toEqual(['ai-input'])
    expect(uses('/twice/a')).toEqual(['search', 'ai-input'])
    expect(uses('/odd/a')).toEqual(['ai-input'])
    expect(uses('/bare')).toEqual(['ai-input'])
    expect(uses('/signal/a')).toEqual(['train-ai', 'ai-train'])
    expect(uses('/test', 'examplebot')).toEqual([])
    expect([...parseRobots('User-agent: *\nDisallow:', 'groundmill').disallowedUses('/')]).toEqual([])
  })

  it.each<[string, string[]]>([
    // No path is shorter than any.
    ['Content-Usage: train-ai=n\nContent-Usage: / train-ai=y', []],
    ['Content-Usage: train-ai=y\nContent-Usage: / train-ai=n', ['train-ai']],
    ['Content-Usage: *.jpg$ train-ai=n', ['train-ai']],
    // A use of another vocabulary, and no pattern.
    ['Content-Usage: *other=y, train-ai=n', ['train-ai']],
    ['Content-Signal: search=yes ai-train=no,', ['ai-train']],
    ['Content-Usage: train-ai=n, train-ai=(', []],
    [`Content-Usage: / train-ai=n;why="${'x'.repeat(400_000)}"`, ['train-ai']],
  ])('of lines $# disallow $1', (lines, uses) => {
    const { disallowedUses } = parseRobots(`User-agent: *\n${lines}`, 'groundmill')
    expect([...disallowedUses('/a.jpg')]).toEqual(uses)
  })

  it('may name licences, which are those of all crawlers', () => {
    const robots =
      'License: https://a.example/l.xml\nUser-agent: otherbot\nLicense: /m.xml\nDisallow: /\nlicense:'
    const { licenses, isAllowed } = parseRobots(robots, 'groundmill')
    expect(licenses).toEqual(['https://a.example/l.xml', '/m.xml'])
    expect(isAllowed('/')).toBe(true)
    const many = Array.from({ length: 100 }, (_, at) => `License: /${at}.xml\n`).join('')
    expect(parseRobots(many, 'groundmill').licenses).toHaveLength(8)
  })

  it('beyond the ten thousandth are left out, and those that are too long', () => {
    const many = Array.from({ length: 10_001 }, (_, at) => `Disallow: /${at}/\n`).join('')
    const robots = `User-agent: *\nDisallow: /${'x'.repeat(2048)}\n${many}`
    expect(['/9999/', '/10000/', `/${'x'.repeat(3000)}`].map((one) => isAllowed(robots, one))).toEqual([
      false,
      true,
      true,
    ])
  })
})
