import type { FileHandle } from 'node:fs/promises'

/** Bytes of one read call: far under the 2 GiB that the system takes at once. */
const most = 2 ** 28

/** Reads `length` bytes from `offset` on. Throws where the file ends before. */
export async function readExactly(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(most, length - done), offset + done)
    if (bytesRead === 0) throw new Error(`the file ends at byte ${offset + done}`)
    done += bytesRead
  }
  return bytes
}
