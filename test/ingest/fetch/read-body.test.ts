import { Readable } from 'node:stream'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readBody } from '../../../src/ingest/fetch/read-body.js'

const text = 'a picture '.repeat(10)
const packed = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync }
const bodyOf = (...parts: (string | Buffer)[]) => Readable.from(parts.map((part) => Buffer.from(part)))

interface Given {
  readonly encoding?: string
  readonly length?: number | string
  readonly most?: number
  readonly cut?: boolean
}
const read = async (body: Readable, { encoding, length, most = 1000, cut }: Given = {}) => {
  const headers = {
    ...(encoding !== undefined && { 'content-encoding': encoding }),
    ...(length !== undefined && { 'content-length': String(length) }),
  }
  return Buffer.from(await readBody(body, headers, 'http://a.example/a.jpg', most, cut)).toString()
}

describe('the body of an answer', () => {
  it('is what came, in one part or in several', async () => {
    const one = Buffer.from(text)
    expect(await readBody(Readable.from([one]), {}, 'a', 1000)).toBe(one)
    expect(await read(bodyOf('one, ', 'two, ', 'three'))).toBe('one, two, three')
  })

  it.each(Object.entries(packed))('is unpacked from %s', async (encoding, pack) => {
    expect(await read(bodyOf(pack(text)), { encoding })).toBe(text)
    expect(await read(bodyOf(pack(text)), { encoding: ` ${encoding.toUpperCase()}, identity,,` })).toBe(text)
  })

  it('that is packed twice is unpacked from the last packing on', async () => {
    const twice = brotliCompressSync(gzipSync(text))
    expect(await read(bodyOf(twice), { encoding: 'gzip, br' })).toBe(text)
    await expect(read(bodyOf(twice), { encoding: 'br, gzip' })).rejects.toMatchObject({
      reason: 'bad_encoding',
    })
    expect(await read(bodyOf(deflateSync(gzipSync(text))), { encoding: 'gzip, deflate' })).toBe(text)
  })

  it.each(['zstd', 'gzip, zstd', 'gzip, gzip, gzip', 'constructor'])(
    'that is packed as %s is refused, and not read',
    async (encoding) => {
      const body = bodyOf(gzipSync(gzipSync(gzipSync(text))))
      const refused = read(body, { encoding })
      await expect(refused).rejects.toMatchObject({ reason: 'bad_encoding' })
      await expect(refused).rejects.toThrow(`http://a.example/a.jpg is packed as ${encoding}`)
      expect(body.destroyed).toBe(true)
      expect(body.readableDidRead).toBe(false)
    },
  )

  it.each(Object.entries(packed))('whose %s is broken or ends early is refused', async (encoding, pack) => {
    const whole = pack(text)
    for (const broken of [Buffer.from('no such thing at all'), whole.subarray(0, -6)]) {
      const refused = read(bodyOf(broken), { encoding })
      await expect(refused).rejects.toMatchObject({ name: 'Reject', reason: 'bad_encoding' })
      await expect(refused).rejects.toThrow(`http://a.example/a.jpg: ${encoding}: `)
    }
  })

  it.each([undefined, 'gzip'])(
    'that breaks off fails with the cause of it (packed as %s)',
    async (encoding) => {
      const body = new Readable({ read() {} })
      body.push(gzipSync(text).subarray(0, 15))
      setImmediate(() => body.destroy(Object.assign(new Error('connection lost'), { errno: -104 })))
      await expect(read(body, encoding === undefined ? {} : { encoding })).rejects.toThrow('connection lost')
    },
  )

  it('that is closed without a word is not taken for broken packing', async () => {
    const body = new Readable({ read() {} })
    body.push(gzipSync(text).subarray(0, 15))
    setImmediate(() => body.destroy())
    await expect(read(body, { encoding: 'gzip' })).rejects.toMatchObject({
      code: 'ERR_STREAM_PREMATURE_CLOSE',
    })
  })

  it('may have as many bytes as are allowed, and not one more', async () => {
    expect(await read(bodyOf('12345', '67890'), { most: 10 })).toBe('1234567890')
    expect(await read(bodyOf('1234567890'), { most: 10, length: 10 })).toBe('1234567890')
    const refused = { name: 'Reject', reason: 'too_large' }
    await expect(read(bodyOf('12345', '678901'), { most: 10 })).rejects.toMatchObject(refused)
    await expect(read(bodyOf('12345678901'), { most: 10, length: 3 })).rejects.toMatchObject(refused)
    await expect(read(bodyOf('12345678901'), { most: 10 })).rejects.toThrow('a.jpg has more than 10 bytes')
    // What it unpacks to counts.
    const bomb = gzipSync(Buffer.alloc(100_000))
    await expect(read(bodyOf(bomb), { most: 99_999, encoding: 'gzip' })).rejects.toMatchObject(refused)
    expect(await read(bodyOf(bomb), { most: 100_000, encoding: 'gzip' })).toHaveLength(100_000)
  })

  it('that says beforehand that it is too long is not read', async () => {
    const body = bodyOf('short')
    await expect(read(body, { most: 10, length: 11 })).rejects.toMatchObject({ reason: 'too_large' })
    expect(body.readableDidRead).toBe(false)
    expect(body.destroyed).toBe(true)
    expect(await read(bodyOf('short'), { most: 10, length: 'no number' })).toBe('short')
  })

  it('that is too long is read no further', async () => {
    let given = 0
    const body = Readable.from(
      (function* () {
        for (;;) {
          given++
          yield Buffer.alloc(10)
        }
      })(),
      { highWaterMark: 1 },
    )
    await expect(read(body, { most: 25 })).rejects.toMatchObject({ reason: 'too_large' })
    expect(body.destroyed).toBe(true)
    expect(given).toBeLessThan(8)
  })

  it('is read no further than where it is cut', async () => {
    let given = 0
    const body = Readable.from(
      (function* () {
        while (++given < 100) yield Buffer.alloc(10)
      })(),
      { highWaterMark: 1 },
    )
    expect(await read(body, { most: 25, cut: true })).toHaveLength(25)
    expect(given).toBeLessThan(8)
  })

  it('is cut where it may be', async () => {
    const cut = { most: 7, cut: true }
    expect(await read(bodyOf('1234567890'), cut)).toBe('1234567')
    expect(await read(bodyOf('1234567890'), { ...cut, length: 10 })).toBe('1234567')
    expect(await read(bodyOf('12345', '67890', 'rest'), cut)).toBe('1234567')
    expect(await read(bodyOf('1234', '567'), cut)).toBe('1234567')
    expect(await read(bodyOf('1234', '5'), cut)).toBe('12345')
    expect(await read(bodyOf(gzipSync(text)), { ...cut, encoding: 'gzip' })).toBe(text.slice(0, 7))
  })

  it('without a byte is none, but where it may be cut', async () => {
    await expect(read(bodyOf())).rejects.toMatchObject({ name: 'Reject', reason: 'empty_body' })
    await expect(read(bodyOf(gzipSync('')), { encoding: 'gzip' })).rejects.toThrow('answered no bytes')
    expect(await read(bodyOf(), { cut: true })).toBe('')
  })
})
