import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { DescribedFile } from './croissant.js'

const formats: Readonly<Record<string, string>> = {
  '.parquet': 'application/x-parquet',
  '.tar': 'application/x-tar',
  '.json': 'application/json',
  '.jsonl': 'application/jsonlines',
  '.csv': 'text/csv',
  '.tsv': 'text/tab-separated-values',
  '.yaml': 'application/yaml',
}

/**
 * Sizes and hashes of an export's files, in the order of their names: of those in its folder and in the folders that are
 * named. Files are read to their ends.
 */
export async function describeFiles(
  folder: string,
  inner: readonly string[],
  isLeftOut: (name: string) => boolean,
  signal?: AbortSignal,
): Promise<DescribedFile[]> {
  const described: DescribedFile[] = []
  for (const below of ['', ...inner]) {
    const entries = await readdir(join(folder, below), { withFileTypes: true })
    for (const entry of entries) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      if (!entry.isFile() || isLeftOut(name)) continue
      const hash = createHash('sha256')
      let bytes = 0
      for await (const chunk of createReadStream(join(folder, name), { highWaterMark: 1 << 20, signal })) {
        hash.update(chunk as Buffer)
        bytes += (chunk as Buffer).length
      }
      described.push({
        ...{ name, bytes, sha256: hash.digest('hex') },
        encodingFormat: formats[extname(name)] ?? 'text/plain',
      })
    }
  }
  return described.sort((a, b) => (a.name < b.name ? -1 : 1))
}
