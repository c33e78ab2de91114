import { AsyncByteQueue, type RecordBatch, RecordBatchStreamWriter } from 'apache-arrow'
import type { Scratch } from './scratch.js'

/** Keeps what a writer gives it as it comes: Arrow's own sink asks for new memory to join it. */
class Parts extends AsyncByteQueue {
  readonly list: Uint8Array[] = []

  override write(value: Parameters<AsyncByteQueue['write']>[0]): void {
    const view = value as Uint8Array
    this.list.push(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }
}

/** A record batch as an Arrow stream of its own, in memory that the next one takes over. */
export function ipcBytes(batch: RecordBatch, scratch: Scratch): Uint8Array {
  const parts = new Parts()
  const writer = new RecordBatchStreamWriter()
  writer.reset(parts, batch.schema)
  writer.write(batch)
  writer.finish()
  const bytes = scratch.take(parts.list.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts.list) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
