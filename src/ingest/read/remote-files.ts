import { parseYaml } from '../../base/files/parse-yaml.js'
import { readText } from '../../base/files/read-file.js'
import { memoize } from '../../base/memoize.js'
import { nameList } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { hubText, parseHub } from '../../hub/hub-address.js'
import type { HubSnapshot } from '../../hub/hub-repository.js'
import { fetchWatch } from '../../hub/watch-fetches.js'
import { requireFetching } from '../../hub/without-fetching.js'
import { parseS3, s3Url } from '../../storage/s3-client.js'
import { findS3Object, openS3Storage } from '../../storage/s3-storage.js'
import { endsWith, isPattern, patternOf } from './name-pattern.js'
import type { SourceFile } from './source-file.js'

/** What asks the Hub is loaded when it is asked. */
const repositories = () => import('../../hub/hub-repository.js')

/** Objects of a bucket that are listed at most for a pattern or a folder. */
const mostListed = 1_000_000

const none = (path: string, endings: readonly string[], hasPattern: boolean) =>
  hasPattern
    ? new UserError(`No file matches ${path}.`)
    : new UserError(
        `${path} has no files that end in ${endings.join(', ')}, .gz or .zst added or not, and is none itself.`,
      )

/**
 * Files of a dataset of the Hub, in the order of their paths: the one that the address names; of a folder those in and
 * below it with one of the endings; of a pattern those that it matches. Of a whole dataset of Parquet files those that
 * its card names for its default configuration, where it names any. Each is fetched into the cache when it is opened.
 *
 * @param address `hf://datasets/ORG/NAME[@REVISION][/PATH]`
 * @throws UserError where there are none, and as `openSnapshot` does
 */
export async function hubFiles(address: string, endings: readonly string[]): Promise<SourceFile[]> {
  const at = parseHub(address)
  if (at.type !== 'dataset')
    throw new UserError(`${address} is a model; what pictures are read from is hf://datasets/ORG/NAME.`)
  const { fetchFile, missingFiles, openSnapshot } = await repositories()
  const snapshot = await openSnapshot(at)
  const { type, id, commit: revision } = snapshot
  const byPath = new Map(snapshot.files.map((file) => [file.path, file]))
  const paths = await chosen(address, at.path, [...byPath.keys()].sort(), endings, snapshot)
  if (paths.length === 0) throw none(address, endings, isPattern(at.path))
  const files = paths.flatMap((path) => byPath.get(path) ?? [])
  // What is looked at and not worked on is told of as a whole.
  const missingBytes = memoize(async () =>
    (await missingFiles(snapshot, files)).reduce((sum, { size }) => sum + size, 0),
  )
  return files.map((file) => ({
    place: hubText({ type, id, revision, path: file.path }),
    identity: `${file.sha256 ?? file.oid} ${file.size}`,
    async open() {
      const [missing] = await missingFiles(snapshot, [file])
      if (missing) requireFetching(address, await missingBytes())
      return fetchFile(snapshot, file)
    },
  }))
}

async function chosen(
  address: string,
  path: string,
  paths: readonly string[],
  endings: readonly string[],
  snapshot: HubSnapshot,
): Promise<readonly string[]> {
  if (paths.includes(path)) return [path]
  if (isPattern(path)) {
    const pattern = patternOf(path)
    return paths.filter((one) => pattern.test(one))
  }
  const prefix = path === '' ? '' : `${path}/`
  const below = paths.filter(
    (one) => one.startsWith(prefix) && endings.some((ending) => endsWith(one, ending)),
  )
  if (path !== '' || !endings.includes('.parquet')) return below
  const card = await cardFiles(address, paths, snapshot)
  if (!card) return below
  const own = card.files.filter((one) => below.includes(one))
  tellOnce(
    `${address}: ${own.length} of ${below.length} Parquet files, as its card has them in "${card.config}"`,
  )
  return own
}

const told = new Set<string>()

function tellOnce(text: string): void {
  if (told.has(text)) return
  told.add(text)
  fetchWatch().onNotice?.(text)
}

interface CardConfig {
  readonly config_name?: unknown
  readonly default?: unknown
  readonly data_files?: unknown
}

/**
 * The files that the card of a dataset names for its default configuration, of all its splits (Hugging Face, "Manual
 * Configuration"); undefined where it names none.
 *
 * @throws UserError where it has several configurations, and none is the default
 */
async function cardFiles(
  address: string,
  paths: readonly string[],
  snapshot: HubSnapshot,
): Promise<{ readonly config: string; readonly files: readonly string[] } | undefined> {
  const card = snapshot.files.find(({ path }) => path === 'README.md')
  if (!card) return undefined
  const { fetchFile } = await repositories()
  const text = await readText(await fetchFile(snapshot, card))
  const [, yaml] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text) ?? []
  if (yaml === undefined) return undefined
  const { configs } = Object(parseYaml(yaml, `${address}/README.md`)) as { readonly configs?: unknown }
  const all = (Array.isArray(configs) ? configs : []).map((one) => Object(one) as CardConfig)
  const named = all.filter(({ data_files: files }) => files !== undefined)
  if (named.length === 0) return undefined
  const config =
    named.find((one) => one.default === true) ??
    named.find(({ config_name: name }) => name === 'default') ??
    (named.length === 1 ? named[0] : undefined)
  if (!config)
    throw new UserError(
      `${address} has several configurations (${nameList(named.map(({ config_name: name }) => String(name)))}): name the files of one, such as ${address}/${patternsOf(named[0]?.data_files)[0] ?? '**/*.parquet'}.`,
    )
  const patterns = patternsOf(config.data_files).map(patternOf)
  return {
    config: String(config.config_name ?? 'default'),
    files: paths.filter((path) => patterns.some((pattern) => pattern.test(path))),
  }
}

/** A pattern, a list of them, or a list of splits with one or more each. */
function patternsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value.replace(/^\.?\//, '')]
  if (Array.isArray(value)) return value.flatMap(patternsOf)
  const { path } = Object(value) as { readonly path?: unknown }
  return path === undefined ? [] : patternsOf(path)
}

/**
 * Objects of a bucket, in the order of their keys: the one that the address names; of a prefix those right below it with
 * one of the endings; of a pattern (`*`, `**`, `{a,b}`, `{0..9}`; a question mark begins settings) those that it matches.
 *
 * @param address `s3://BUCKET/KEY[?endpoint=…&region=…&path_style=…]`
 * @throws UserError where there are none, or the store refuses
 */
export async function s3Files(address: string, endings: readonly string[]): Promise<SourceFile[]> {
  const at = parseS3(address)
  const bucket = openS3Storage(s3Url({ ...at, key: '' }))
  const file = ({
    name,
    size,
    etag,
  }: {
    name: string
    size: number
    etag?: string | undefined
  }): SourceFile => {
    const place = s3Url({ ...at, key: name })
    if (/[?#]/.test(name))
      throw new UserError(
        `${s3Url({ ...at, key: '' })} has an object ${nameList([name])}: an address cannot name one with "?" or "#" in it; rename it, or choose the others by a pattern.`,
      )
    return { place, identity: `${name} ${size} ${etag ?? ''}`, open: async () => place }
  }
  const found: SourceFile[] = []
  const add = (one: Parameters<typeof file>[0]) => {
    if (found.push(file(one)) > mostListed)
      throw new UserError(`${address} has more than ${mostListed} files: name fewer of them.`)
  }
  if (isPattern(at.key)) {
    const pattern = patternOf(at.key)
    const folder = /^[^*{]*\//.exec(at.key)?.[0]?.slice(0, -1) ?? ''
    const isDeep = at.key.slice(folder.length + 1).includes('/')
    // What ends with a slash stands for a folder.
    for await (const one of bucket.listFiles(folder, isDeep ? 'below' : 'inside'))
      if (pattern.test(one.name) && !one.name.endsWith('/')) add(one)
  } else {
    const single = at.key === '' ? undefined : await findS3Object(address)
    if (single) return [file({ name: at.key, ...single })]
    for await (const one of bucket.listFiles(at.key, 'inside'))
      if (endings.some((ending) => endsWith(one.name, ending))) add(one)
  }
  if (found.length === 0) throw none(address, endings, isPattern(at.key))
  return found.sort((a, b) => (a.place < b.place ? -1 : 1))
}
