import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readListText, unreadable } from '../base/files/read-file.js'
import { openRegularFile } from '../base/files/regular-file.js'
import { shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { openTorchCheckpoint } from './read-torch-checkpoint.js'
import { openSafetensors } from './safetensors.js'
import type { StoredTensor, WeightFile } from './weight-file.js'

const indexSuffix = '.safetensors.index.json'
/** What a folder's weights may be called, in order of preference. */
const folderNames = ['model.safetensors', `model${indexSuffix}`, 'pytorch_model.bin'] as const

export interface OpenWeightOptions {
  /** Take the moving averages of a training state. */
  readonly average?: boolean
}

/**
 * Opens a file of weights, whatever its kind: safetensors, the index of sharded safetensors, a file of
 * `torch.save`, or a folder with one of them. Its content decides, not its name. Throws a UserError where it
 * is none of these.
 */
export async function openWeightFile(path: string, options: OpenWeightOptions = {}): Promise<WeightFile> {
  const { average = false } = options
  const file = await inFolder(path)
  const head = await readHead(file)
  const isZip = head.subarray(0, 2).toString('latin1') === 'PK'
  if (isZip || head[0] === 0x80) return openTorchCheckpoint(file, average)
  if (average) throw new UserError(`${file} has no moving averages: only a training state of torch.save has.`)
  return file.endsWith(indexSuffix) ? openSharded(file) : openSafetensors(file)
}

async function inFolder(path: string): Promise<string> {
  const found = await stat(path).catch(unreadable(path))
  if (!found.isDirectory()) return path
  for (const name of folderNames) {
    const file = join(path, name)
    if (await stat(file).catch(() => undefined)) return file
  }
  throw new UserError(`${path} has no weights: none of ${folderNames.join(', ')} is there.`)
}

async function readHead(path: string): Promise<Buffer> {
  const file = await openRegularFile(path).catch(unreadable(path))
  try {
    const head = Buffer.alloc(2)
    const { bytesRead } = await file.read(head, 0, 2, 0)
    return head.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The files that an index of safetensors names, as one. */
async function openSharded(path: string): Promise<WeightFile> {
  const names = shardNames(await readListText(path), path)
  const files: WeightFile[] = []
  const close = async () => {
    await Promise.all(files.map((file) => file.close()))
  }
  try {
    const tensors = new Map<string, StoredTensor>()
    for (const shard of new Set(names.values())) {
      const file = await openSafetensors(join(dirname(path), shard))
      files.push(file)
      for (const [name, tensor] of file.tensors) {
        if (names.get(name) !== shard)
          throw new UserError(
            `${path} does not say that ${shownName(name)} is in ${shownName(shard)}, where it is.`,
          )
        tensors.set(name, tensor)
      }
    }
    for (const [name, shard] of names) {
      if (!tensors.has(name))
        throw new UserError(
          `${path} says that ${shownName(name)} is in ${shownName(shard)}, where it is not.`,
        )
    }
    return { tensors, others: [], metadata: {}, close }
  } catch (error) {
    await close()
    throw error
  }
}

function shardNames(json: string, path: string): Map<string, string> {
  let map: unknown
  try {
    map = JSON.parse(json).weight_map
  } catch {}
  const entries = Object.entries((map ?? {}) as Record<string, unknown>)
  // A shard lies beside its index; a path could lead anywhere.
  if (entries.length === 0 || entries.some(([, file]) => typeof file !== 'string' || basename(file) !== file))
    throw new UserError(
      `${path} is not an index of safetensors: its weight_map does not name files beside it.`,
    )
  return new Map(entries as [string, string][])
}
