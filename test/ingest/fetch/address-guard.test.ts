import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createAddressGuard,
  parseAllowedHost,
  privateRange,
} from '../../../src/ingest/fetch/address-guard.js'
import type { Reject } from '../../../src/ingest/fetch/reject.js'

const guard = (allow_hosts: string[] = [], allow_ports: number[] = []) =>
  createAddressGuard({ allow_hosts, allow_ports })
/** The reason for which an address is refused. */
const refusal = (address: string, used = guard()) => {
  try {
    used.checkUrl(new URL(address))
    return 'asked'
  } catch (error) {
    return (error as Reject).reason
  }
}

describe('an address', () => {
  it.each([
    ['loopback', '127.0.0.1', '127.9.9.9', '::1'],
    ['loopback in IPv6 clothes', '::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1'],
    ['this network', '0.0.0.0', '::'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '::ffff:10.0.0.1'],
    ['carrier grade NAT', '100.64.0.1', '100.127.255.255'],
    ['link local, where clouds keep metadata', '169.254.169.254', 'fe80::1', '::ffff:169.254.169.254'],
    ['metadata in other ranges', '168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254'],
    ['unique local and site local', 'fc00::1', 'fdff::1', 'fec0::1'],
    ['multicast and broadcast', '224.0.0.1', '239.255.255.255', 'ff02::1', '255.255.255.255'],
    ['reserved and for documents', '192.0.2.1', '198.18.0.1', '203.0.113.1', '240.0.0.1', '2001:db8::1'],
    [
      'a way to IPv4 through NAT64, 6to4, Teredo',
      '64:ff9b::7f00:1',
      '64:ff9b:1::1',
      '2002:7f00:1::',
      '2001::1',
    ],
    ['none', 'localhost', '', '1.2.3.4.5'],
  ])('that is %s is not public', (_, ...addresses) => {
    for (const address of addresses) expect(privateRange(address), address).toBeTypeOf('string')
  })

  it.each(['1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
    '%s is public',
    (address) => {
      expect(privateRange(address)).toBeUndefined()
    },
  )

  it('says in a word why it is not', () => {
    expect(privateRange('168.63.129.16')).toBe('metadata')
    expect(privateRange('localhost')).toBe('not an address')
    expect(privateRange('10.0.0.1')).toBe('private')
    expect(privateRange('::ffff:127.0.0.1')).toBe('loopback')
    expect(privateRange('4000::1')).toBe('not global')
  })

  it('is the same in every spelling', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    const spelling = fc.constantFrom<(parts: number[]) => string>(
      (parts) => parts.join('.'),
      (parts) => parts.map((part) => `0x${part.toString(16)}`).join('.'),
      (parts) => parts.map((part) => `0${part.toString(8)}`).join('.'),
      (parts) => String(parts.reduce((sum, part) => sum * 256 + part, 0)),
      (parts) => `0x${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`,
      ([a, b, c, d]) => `${a}.${b}.${c * 256 + d}`,
      (parts) => `[::ffff:${parts.join('.')}]`,
      (parts) => `${parts.join('.')}.`,
    )
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), spelling, (parts, spell) => {
        const plain = refusal(`http://${parts.join('.')}/`)
        expect(refusal(`http://${spell(parts)}/`)).toBe(plain)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a guard', () => {
  it.each([
    ['file:///etc/passwd', 'bad_url'],
    ['ftp://pictures.example/a.jpg', 'bad_url'],
    ['gopher://pictures.example/a.jpg', 'bad_url'],
    ['http://user:password@pictures.example/a.jpg', 'url_credentials'],
    ['http://user@pictures.example/a.jpg', 'url_credentials'],
    ['http://pictures.example:22/a.jpg', 'forbidden_port'],
    ['https://pictures.example:8443/a.jpg', 'forbidden_port'],
    ['http://pictures.example:443/a.jpg', 'asked'],
    ['https://pictures.example/a.jpg', 'asked'],
    ['http://127.1/a.jpg', 'forbidden_address'],
    ['http://0/a.jpg', 'forbidden_address'],
    ['http://1.1.1.1/a.jpg', 'asked'],
  ])('of %s says: %s', (address, reason) => {
    expect(refusal(address)).toBe(reason)
  })

  it('lets pass what the configuration names, on its port alone where it names one', () => {
    const local = guard(['127.0.0.1:8088', 'http://[::1]:9000/path', 'localhost'])
    expect(refusal('http://127.0.0.1:8088/', local)).toBe('asked')
    expect(refusal('http://2130706433:8088/', local)).toBe('asked')
    expect(refusal('http://127.0.0.1:8089/', local)).toBe('forbidden_port')
    expect(refusal('http://127.0.0.1/', local)).toBe('forbidden_address')
    expect(refusal('http://[::1]:9000/', local)).toBe('asked')
    expect(refusal('http://localhost:1234/', local)).toBe('asked')
    expect(refusal('ftp://localhost/', local)).toBe('bad_url')
    expect(refusal('http://pictures.example:8443/', guard([], [8443]))).toBe('asked')
  })

  it('knows the hosts that are named, whatever the port', () => {
    const named = guard(['a.example:8088', 'b.example', 'http://[::1]:9000/', 'no/host'])
    expect(['a.example', 'b.example', '[::1]', 'a.example:8088', 'c.example'].map(named.isNamed)).toEqual([
      ...[true, true, true, false, false],
    ])
    expect(named.isAllowed('a.example', '8088')).toBe(true)
    expect(named.isAllowed('a.example', '80')).toBe(false)
    expect(named.isAllowed('b.example', '1')).toBe(true)
  })

  it('refuses a host for any of its addresses, and says which', () => {
    expect(() => guard().checkAddresses('a.example', ['1.1.1.1', '2606:4700::1111'])).not.toThrow()
    expect(() => guard().checkAddresses('a.example', ['1.1.1.1', '10.0.0.7'])).toThrow(
      'a.example is at 10.0.0.7, not a public address (private)',
    )
  })

  it.each([
    ['127.0.0.1:80', '127.0.0.1:80'],
    ['http://pictures.example', 'pictures.example:80'],
    ['https://Pictures.example/a/b', 'pictures.example:443'],
    ['pictures.example', 'pictures.example'],
    ['::1', '[::1]'],
    ['[::1]:80', '[::1]:80'],
    ['pictures.example/a', undefined],
    ['ftp://pictures.example', undefined],
    ['user@pictures.example', undefined],
    ['', undefined],
  ])('reads the entry %j as %j', (entry, host) => {
    expect(parseAllowedHost(entry)).toBe(host)
  })
})
