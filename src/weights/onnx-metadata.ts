import { unreadable } from '../base/files/read-file.js'
import { openRegularFile } from '../base/files/regular-file.js'
import { ProtoReader } from './proto-reader.js'

/** Fields of ModelProto and StringStringEntryProto (onnx.proto). */
const fields = { metadata: 14, key: 1, value: 2 } as const
/** Names of ten thousand classes take a fifth of that. */
const longestValue = 1 << 20

/**
 * What an exporter wrote into an ONNX file beside its graph (`metadata_props`), of which nothing else is read. Texts of
 * more than a mebibyte are left out.
 *
 * @throws UserError where the file is no ONNX model or is cut short
 */
export async function readOnnxMetadata(path: string): Promise<ReadonlyMap<string, string>> {
  const file = await openRegularFile(path).catch(unreadable(path))
  try {
    const { size } = await file.stat()
    const reader = new ProtoReader(file, path, size)
    const found = new Map<string, string>()
    await reader.each(size, async (field, end) => {
      if (field !== fields.metadata) return
      const pair = { key: '', value: '' }
      await reader.each(end, async (part, partEnd) => {
        if (part === fields.key) pair.key = await reader.text(partEnd)
        if (part === fields.value) pair.value = await reader.text(partEnd, longestValue)
      })
      if (pair.key !== '') found.set(pair.key, pair.value)
    })
    return found
  } finally {
    await file.close()
  }
}
