import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { UserError } from '../user-error.js'
import type { IngestConfig } from './config.js'
import { type Mark, type SourceRow, sourceRow } from './source-row.js'

const pictures = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'])

/** Pictures of a folder and those below it, each with its captions in a text file of its name, a line each. */
export async function* readFolder(
  config: IngestConfig & { path: string },
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const names = await readdir(config.path, { recursive: true }).catch((error: unknown) => {
    throw new UserError(`Cannot read ${config.path}: ${(error as Error).message}`)
  })
  const found = names.filter((name) => pictures.has(extname(name).toLowerCase())).sort()
  if (found.length === 0) throw new UserError(`${config.path} has no pictures (${[...pictures].join(', ')}).`)
  for (let at = from?.at ?? 0; at < found.length; at++) {
    const file = join(config.path, found[at])
    const beside = file.slice(0, -extname(file).length)
    const text = await readFile(`${beside}.txt`, 'utf8').catch(() => '')
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
    const problem = { reason: 'empty_caption', detail: `${file}: no ${beside}.txt with a caption` }
    yield sourceRow({
      mark: { at, line: 0 },
      place: file,
      file,
      captions: lines.map((line) => ({ text: line, kind: 'web' })),
      meta: { file_name: found[at] },
      problem: lines.length === 0 ? problem : null,
    })
  }
}
