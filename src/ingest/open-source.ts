import { orPackaged, packagedCard } from '../base/files/packaged.js'
import { parseConfig } from '../base/files/parse-config.js'
import { readYaml } from '../base/files/parse-yaml.js'
import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { exportHint } from '../formats/export-hint.js'
import { isHub } from '../hub/hub-address.js'
import { isS3 } from '../storage/s3-storage.js'
import { type Card, cardSchema, type IngestConfig, type SourceConfig, sourceKeysOf } from './config.js'
import { folderOfBase, rowWithFile } from './read/named-file.js'
import { partOfSource } from './read/part-of-source.js'
import type { Source } from './read/source.js'
import type { SourceFormat } from './read/source-format.js'
import type { SourceRow } from './read/source-row.js'
import { sources } from './sources.js'

/** Reads a dataset card: a file, or the name of a card that comes with the program. */
export async function readCard(fileOrName: string): Promise<Card> {
  const path = packagedCard(fileOrName) ?? orPackaged(fileOrName)
  return parseConfig(cardSchema, await readYaml(path), path)
}

/** The configuration with what its card gives filled in, as `fillIn` does. */
export async function withCard(
  config: IngestConfig,
  where?: string,
): Promise<{ readonly config: SourceConfig; readonly card: Card | null }> {
  const card = config.card ? await readCard(config.card) : null
  return { config: fillIn(config, card, where), card }
}

/**
 * Fills what a card gives into a configuration. The card's licence is that of the list and stays with the
 * card: a picture has its own. Where the configuration names another format than the card, what that one has
 * no key for is left out of the card.
 *
 * @param where the configuration is, for messages
 * @throws UserError where nothing says the format, or the configuration has a key that the format does not
 *   have
 */
export function fillIn(config: IngestConfig, card: Card | null, where = 'ingest'): SourceConfig {
  const format = config.format ?? card?.format
  if (!format) throw new UserError('An ingest stage needs `format` or `card`.')
  const { schema } = formatOf(format)
  const keys = new Set(sourceKeysOf(schema))
  const ofCard = Object.entries(card ?? {}).filter(([key]) => keys.has(key))
  const ofConfig = Object.entries(config).filter(([, value]) => value !== undefined)
  const whole = { ...Object.fromEntries(ofCard), ...Object.fromEntries(ofConfig), format }
  const place = config.card ? `${where} (card ${config.card})` : where
  return parseConfig(schema, whole, place) as SourceConfig
}

/** Where on the Hub a source lies, if it does. */
export const hubPathOf = (config: SourceConfig): string | undefined =>
  'path' in config && typeof config.path === 'string' && isHub(config.path) ? config.path : undefined

/** A source that is open, with the configuration that it was opened with. */
export interface OpenSource extends Source {
  /** With the card filled in. */
  readonly config: SourceConfig
  readonly card: Card | null
  /**
   * Whether its rows come with boxes: then ingest writes phrases, grounding and negatives beside the
   * images.
   */
  readonly hasBoxes: boolean
}

/**
 * Opens the source that a configuration, or its card, names. It is to be closed.
 *
 * @param where the configuration is, for messages
 * @throws UserError where the configuration does not fit its format
 */
export async function openSource(ingestConfig: IngestConfig, where?: string): Promise<OpenSource> {
  const { config: given, card } = await withCard(ingestConfig, where)
  const config = withFolder(given)
  const format = formatOf(config.format)
  refuseRemote(config, format)
  const whole = format.open(config)
  const source = config.part ? partOfSource(whole, config.part) : whole
  const files = [config, ...('instances' in config ? [{ path: config.instances }] : [])].flatMap((named) =>
    'path' in named && typeof named.path === 'string' ? [named.path] : [],
  )
  return {
    ...source,
    plan: () => explained(source.plan(), files),
    rows: (from) => explained(withFiles(source.rows(from), config), files),
    hash: () =>
      source.hash().catch(async (error) => {
        throw await explanation(error, files)
      }),
    config,
    card,
    hasBoxes: format.hasBoxes(config),
  }
}

/** Throws a UserError where files of a bucket or of the Hub are named that the format does not read there. */
function refuseRemote(config: SourceConfig, { name, isRemote = false }: SourceFormat): void {
  for (const [key, value] of Object.entries(config)) {
    const isAddress = typeof value === 'string' && (isHub(value) || isS3(value))
    if (!isAddress || key === 'base_url' || (key === 'path' && isRemote)) continue
    const formats = sources.filter((one) => one.isRemote).map((one) => one.name)
    throw new UserError(
      `${key}: ${value}: ${isRemote ? `\`${key}\`` : `the format ${name}`} reads files of this machine; hf:// and s3:// are for the \`path\` of ${nameList(formats)}. Fetch it first${isHub(value) ? ', as with hf download' : ''}.`,
    )
  }
}

/** A `base_url` that is a folder is what `images` is, in every format that has both. */
function withFolder(config: SourceConfig): SourceConfig {
  if (!('base_url' in config)) return config
  const folder = folderOfBase(config.base_url)
  if (folder === undefined) return config
  const { base_url: _, ...rest } = config
  const { images = folder } = rest as { readonly images?: string }
  return { ...rest, images } as SourceConfig
}

/**
 * Rows, with those of a list that names files of the folder `images` read from there; where there is a `base_url`, what
 * has no address is fetched.
 */
async function* withFiles(rows: AsyncGenerator<SourceRow>, config: SourceConfig): AsyncGenerator<SourceRow> {
  const isFetched = 'base_url' in config && config.base_url !== undefined
  const images = 'images' in config && config.format !== 'glip-tsv' ? config.images : undefined
  if (images === undefined || isFetched) yield* rows
  else for await (const row of rows) yield rowWithFile(row, { images })
}

/** What a source gives; where it cannot be read, its error says what program the file is of. */
async function* explained<T>(given: AsyncGenerator<T>, files: readonly string[]): AsyncGenerator<T> {
  try {
    yield* given
  } catch (error) {
    throw await explanation(error, files)
  }
}

async function explanation(error: unknown, files: readonly string[]): Promise<unknown> {
  if (!(error instanceof UserError)) return error
  const hints = await Promise.all(files.map(exportHint))
  return new UserError(`${error.message}${hints.join('')}`)
}

/** Whether the rows of a source come with boxes: it is not opened for that. */
export async function sourceHasBoxes(ingestConfig: IngestConfig): Promise<boolean> {
  const { config } = await withCard(ingestConfig)
  return formatOf(config.format).hasBoxes(config)
}

/** The format of a name that the schema has let through. */
function formatOf(name: string): SourceFormat {
  const format = sources.find((one) => one.name === name)
  if (!format) throw new Error(`there is no format "${name}"`)
  return format
}
