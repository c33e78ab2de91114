import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { orPackaged } from '../packaged.js'
import { parseConfig, readYaml } from '../parse-config.js'
import { UserError } from '../user-error.js'
import { type Card, cardSchema, type IngestConfig } from './config.js'
import { readCoco } from './source-coco.js'
import { readFolder } from './source-folder.js'
import { readJsonl } from './source-jsonl.js'
import { readParquetPairs } from './source-parquet.js'
import type { Mark, SourceRow } from './source-row.js'
import { readTsv } from './source-tsv.js'

/** Reads a dataset card. */
export async function readCard(given: string): Promise<Card> {
  const path = orPackaged(given)
  return parseConfig(cardSchema, await readYaml(path), path)
}

/**
 * The configuration with what its card gives filled in. The card's licence is that of the list and stays with the card:
 * a picture has its own.
 */
export async function withCard(
  config: IngestConfig,
): Promise<{ readonly config: IngestConfig; readonly card: Card | null }> {
  if (!config.card) return { config, card: null }
  const card = await readCard(config.card)
  const { format, path, header, columns, images, captions, instances } = card
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
  return {
    config: { format, path, header, columns, images, captions, instances, ...given } as IngestConfig,
    card,
  }
}

/** Rows of the source that a (card-filled) configuration names, from a mark on. */
export function readSource(config: IngestConfig, from?: Mark): AsyncGenerator<SourceRow> {
  if (!config.format) throw new UserError('An ingest stage needs `format` or `card`.')
  if (config.format === 'coco') return readCoco(config, from)
  const { path } = config
  if (!path) throw new UserError(`An ingest stage of format ${config.format} needs \`path\`.`)
  const located = { ...config, path }
  switch (config.format) {
    case 'tsv':
      return readTsv(located, from)
    case 'jsonl':
      return readJsonl(located, from)
    case 'parquet':
      return readParquetPairs(located, from)
    case 'folder':
      return readFolder(located, from)
  }
}

/** SHA-256 over the lists that a source is read from; of a folder of pictures, over what it lists. */
export async function hashSource(config: IngestConfig): Promise<string> {
  const hash = createHash('sha256')
  if (config.format === 'folder') {
    for await (const row of readSource(config)) hash.update(`${row.place}\n${JSON.stringify(row.captions)}\n`)
  } else {
    for (const path of [config.path, config.captions, config.instances]) {
      if (path) for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
    }
  }
  return hash.digest('hex')
}
