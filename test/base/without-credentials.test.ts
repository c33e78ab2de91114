import { describe, expect, it } from 'vitest'
import { textWithoutCredentials, withoutCredentials } from '../../src/base/without-credentials.js'

describe('an address', () => {
  it.each([
    ['http://name:secret@host.example/a.jpg?b=c@d', 'http://***@host.example/a.jpg?b=c@d'],
    ['https://secret@host.example', 'https://***@host.example/'],
    ['http://:secret@host.example/', 'http://***@host.example/'],
    ['  HTTP:\\\\name:se cr@et@host.example\\a', 'http://***@host.example/a'],
    ['http:name:secret@host.example/a', 'http://***@host.example/a'],
    ['ht\ntp://name:secret@host.example/a', 'http://***@host.example/a'],
    ['ftp://name:secret@host.example/a', 'ftp://***@host.example/a'],
    ['http://name:secret@host.example:port/a@b', 'http://***@host.example:port/a@b'],
    ['http://name:secret@ho st/a', 'http://***@ho st/a'],
    ['//name:secret@host.example/a', '//***@host.example/a'],
    ['name:secret@host.example/a', 'name:***@host.example/a'],
  ])('%j is kept as %j', (address, wanted) => {
    expect(withoutCredentials(address)).toBe(wanted)
  })

  it.each([
    'http://host.example/@name/a.jpg',
    'http://host.example/a?mail=a@b.example',
    'HTTP://Host.example/a b',
    'pictures/a@2x.jpg',
    'data:image/png;base64,AAAA@',
    '',
  ])('without a password stays as it is written: %j', (address) => {
    expect(withoutCredentials(address)).toBe(address)
  })

  it('is found in a text', () => {
    expect(textWithoutCredentials('http://a:b@c.example/ and ftp://d@e.example, to f@g.example')).toBe(
      'http://***@c.example/ and ftp://***@e.example, to f@g.example',
    )
  })
})
