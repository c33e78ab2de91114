import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPattern, robotsPath } from '../../../src/ingest/fetch/robots-pattern.js'

/** The same by a regular expression, which may take long. */
const asExpression = (pattern: string) => {
  const isWhole = pattern.endsWith('$')
  const text = isWhole ? pattern.slice(0, -1) : pattern
  return new RegExp(`^${text.replaceAll(/\*+/g, '.*')}${isWhole ? '$' : ''}`, 's')
}

describe('a pattern', () => {
  it('matches what a regular expression does', () => {
    const letters = (of: string[], maxLength: number) =>
      fc.array(fc.constantFrom(...of), { maxLength }).map((parts) => `/${parts.join('')}`)
    const pattern = fc.tuple(letters(['a', 'b', 'ab', 'aab', '*', '*'], 7), fc.constantFrom('', '$'))
    fc.assert(
      fc.property(pattern, letters(['a', 'b', 'ab'], 9), ([text, end], path) => {
        expect(createPattern(text + end).matches(path)).toBe(asExpression(text + end).test(path))
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['/*aab', '/aaab', true],
    ['/*ababc', '/abababc', true],
    ['/*aabaaa', '/aabaabaaa', true],
    ['/*abcabd', '/abcabcabd', true],
    ['/*aa*ab', '/aab', false],
    ['/*aa*ab', '/aaab', true],
    ['/*a*a', '/a', false],
    ['/*a*a', '/aa', true],
    ['/*abc', '/ab', false],
    ['/*abc', '/xabc', true],
    ['/*abc', '/xyzabcd', true],
    ['/*ab$', '/abab', true],
    ['/*ab*ab$', '/ab', false],
    ['/*b', '/aaa', false],
    ['/a$', '/a', true],
    ['/a$', '/ab', false],
    ['/a$b', '/a$bc', true],
    ['/*$', '/', true],
    ['/a**b', '/ab', true],
    ['/b', '/ab', false],
  ])('%s matches %s: %s', (text, path, matches) => {
    expect(createPattern(text).matches(path)).toBe(matches)
  })

  it('is as long as what is compared', () => {
    expect(createPattern('/a*').length).toBe(3)
    expect(createPattern('/%61$').length).toBe(3)
    expect(createPattern('/ä').length).toBe(7)
  })
})

describe('a path', () => {
  it('has its escapes where they are needed, and in capitals', () => {
    expect(robotsPath('/%7e%61%2D%5f%2e')).toBe('/~a-_.')
    expect(robotsPath('/%2f%e4%5b1]%5B2%5D%5d')).toBe('/%2F%E4[1][2]]')
    expect(robotsPath('/ä?ö=%zz')).toBe('/%C3%A4?%C3%B6=%zz')
    expect(robotsPath('/\ud800')).toBe('/\ud800')
  })

  it('is looked at from its beginning', () => {
    expect(robotsPath(`/${'a'.repeat(5000)}`)).toHaveLength(2048)
  })
})
