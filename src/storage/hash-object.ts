import { createHash } from 'node:crypto'
import type { OpenObject } from './storage.js'

const partBytes = 8 * 1024 * 1024

/** The bytes of an open object, part by part. */
export async function* readParts(object: OpenObject, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < object.size; at += partBytes) {
    signal?.throwIfAborted()
    yield new Uint8Array(await object.read(at, Math.min(object.size, at + partBytes)))
  }
}

/** SHA-256 of an open object in hex. One part of it is in memory at a time. */
export async function hashObject(object: OpenObject, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of readParts(object, signal)) hash.update(part)
  return hash.digest('hex')
}
