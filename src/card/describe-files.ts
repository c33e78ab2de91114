import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { FileHash } from '../base/files/growing-hashes.js'
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
 * named.
 */
export async function describeFiles(
  folder: string,
  inner: readonly string[],
  isLeftOut: (name: string) => boolean,
  hashOf: (name: string) => Promise<FileHash>,
): Promise<DescribedFile[]> {
  const described: DescribedFile[] = []
  for (const below of ['', ...inner]) {
    const entries = await readdir(join(folder, below), { withFileTypes: true })
    for (const entry of entries) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      if (!entry.isFile() || isLeftOut(name)) continue
      const encodingFormat = formats[extname(name)] ?? 'text/plain'
      described.push({ name, ...(await hashOf(name)), encodingFormat })
    }
  }
  return described.sort((a, b) => (a.name < b.name ? -1 : 1))
}
