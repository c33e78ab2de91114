import { join, posix } from 'node:path'
import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { parseHub } from './hub-address.js'
import { type HubFile, snapshotFolder } from './hub-cache.js'
import type { HubSnapshot } from './hub-repository.js'
import { requireFetching } from './without-fetching.js'

/** What asks the Hub is loaded when it is asked. */
const repositories = () => import('./hub-repository.js')

/** Larger texts are no configuration and no vocabulary. */
const largestText = 32 * 1024 * 1024
/** A model has a dozen. */
const mostTexts = 1000
/** What says how a model is read: all of it is a few MB at most. */
const isText = (name: string) =>
  /^(1_Pooling\/)?[^/]+\.(json|txt)$/.test(name) && !/\.index\.json$/.test(name)

/** A model's folder whose texts are on this machine, and what else it has. */
export interface ModelListing {
  /** Where it lies on this machine. */
  readonly folder: string
  /** Its files below the folder, whether they were fetched or not. */
  readonly names: readonly string[]
  /** Whether these are only those that the cache has, for nobody could be asked which there are. */
  readonly isPartial: boolean
  /** Whether all bytes of one are on this machine. */
  isThere(name: string): Promise<boolean>
  /** Fetches one anew where its bytes are not those of the Hub; whether they were others. */
  mend(name: string): Promise<boolean>
}

/**
 * The folder of a model of the Hub on this machine, with the files of it that are needed. Configurations and tokenizers
 * are fetched first; what they say decides on the rest.
 *
 * @param address of a model: `hf://ORG/MODEL[@REVISION][/FOLDER]`
 * @param choose names below the folder of what is needed besides; asked again until it names nothing new, as one file
 *   may say which others it needs
 * @throws UserError where there is no such model or file, or the Hub may not be asked; HubUnreachable where it does not
 *   answer; NotFetched within `withoutFetching`
 */
export async function fetchModel(
  address: string,
  choose: (listing: ModelListing) => Promise<readonly string[]>,
): Promise<string> {
  const at = parseHub(address)
  if (at.type !== 'model') throw new UserError(`${address} is a dataset, where a model is needed.`)
  const { fetchFile, mendFile, missingFiles, openSnapshot } = await repositories()
  const snapshot = await openSnapshot(at)
  const prefix = at.path === '' ? '' : `${at.path}/`
  const files = new Map(
    snapshot.files.flatMap((file) =>
      file.path.startsWith(prefix) ? [[file.path.slice(prefix.length), file] as const] : [],
    ),
  )
  if (files.size === 0)
    throw new UserError(`${address}: the repository has no ${at.path === '' ? 'files' : 'such folder'}.`)
  const folder = join(snapshotFolder(snapshot.settings, snapshot), at.path)
  const texts = [...files].flatMap(([name, file]) => (isText(name) && file.size <= largestText ? [file] : []))
  if (texts.length > mostTexts)
    throw new UserError(
      `${address} has ${texts.length} texts (*.json, *.txt) at its top, more than a model has: name a folder of it.`,
    )
  for (const file of texts) {
    await fetchFile(snapshot, file)
    await mendFile(snapshot, file)
  }
  const fileOf = (name: string) => files.get(posix.normalize(name))
  const listing: ModelListing = {
    ...{ folder, names: [...files.keys()], isPartial: snapshot.isPartial },
    async isThere(name) {
      const file = fileOf(name)
      return file !== undefined && (await missingFiles(snapshot, [file])).length === 0
    },
    async mend(name) {
      const file = fileOf(name)
      if (file) requireFetching(address, file.size)
      return file !== undefined && mendFile(snapshot, file)
    },
  }
  for (const fetched = new Set(texts); ; ) {
    const names = await choose(listing)
    const chosen = names.flatMap((name) => fileOf(name) ?? [])
    const wanted = chosen.filter((file) => !fetched.has(file))
    if (wanted.length === 0) return folder
    await fetchAll(address, snapshot, wanted)
    for (const file of wanted) fetched.add(file)
  }
}

async function fetchAll(address: string, snapshot: HubSnapshot, files: readonly HubFile[]): Promise<void> {
  const { fetchFile, missingFiles } = await repositories()
  const missing = await missingFiles(snapshot, files)
  requireFetching(
    address,
    missing.reduce((sum, { size }) => sum + size, 0),
  )
  for (const file of files) await fetchFile(snapshot, file)
}

/**
 * A single file of a repository on this machine.
 *
 * @param address `hf://ORG/MODEL[@REVISION]/PATH`; without a path the first of `names` that the repository has
 */
export async function fetchModelFile(address: string, names: readonly string[] = []): Promise<string> {
  const at = parseHub(address)
  const { fetchFile, fileAt, missingFiles, openSnapshot } = await repositories()
  const snapshot = await openSnapshot(at)
  const wanted = at.path === '' ? names : [at.path]
  const file = wanted.flatMap((name) => fileAt(snapshot, name) ?? [])[0]
  if (file) {
    const [missing] = await missingFiles(snapshot, [file])
    if (missing) requireFetching(address, missing.size)
    return fetchFile(snapshot, file)
  }
  throw new UserError(
    `${address}: the repository has no ${wanted.join(' or ')}; it has: ${nameList(snapshot.files.map(({ path }) => path))}.`,
  )
}

/**
 * Why a repository has not the ONNX file that is needed, and what to do.
 *
 * @param name of the file, without `.onnx`
 */
export function noOnnxFile(address: string, { names, isPartial }: ModelListing, name: string): UserError {
  const { id } = parseHub(address)
  if (isPartial)
    return new UserError(
      `${address}: the cache has no ${name}.onnx of it, and the Hub cannot be asked what there is: fetch it where there is a network (unset HF_HUB_OFFLINE).`,
    )
  const onnx = names.filter((one) => one.endsWith('.onnx'))
  if (onnx.length > 0)
    return new UserError(`${address} has no ${name}.onnx, in it or in onnx/; it has: ${nameList(onnx)}.`)
  const weights = names.filter((one) => /\.(safetensors|bin|pth?|h5|msgpack|ckpt)$/.test(one))
  const what = weights.length > 0 ? `it has: ${nameList(weights)}` : 'nor any other weights'
  return new UserError(
    `${address} has no ONNX file (onnx/${name}.onnx); ${what}. Name a repository that has one, such as an export in onnx-community/, or export it: optimum-cli export onnx --model ${id} FOLDER`,
  )
}
