import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { filesBelow } from '../../base/files/files-below.js'
import { readText } from '../../base/files/read-file.js'
import { croissantName } from '../../card/croissant.js'
import { mergeSplits, splitOf } from '../../card/merge-splits.js'
import type { ExportConfig } from '../../export/config.js'
import { reportName } from '../../export/export-folder.js'
import { type Pushed, pushFolder, requireToken } from '../../hub/push-folder.js'
import { openStorage } from '../../storage/open-storage.js'
import type { PushSide } from '../../storage/push-content.js'
import { type PushedObjects, pushObjects, readPushRecord } from '../../storage/push-objects.js'
import type { PushAddress } from './push-address.js'

type Form = Pick<ExportConfig, 'format' | 'split'>

export interface PushExportOptions extends Form {
  /** Of a repository of the Hub that is made. */
  readonly isPrivate?: boolean | undefined
  /** What the commit of a repository is called. */
  readonly message: string
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
}

/** What a bucket is told lies there. Splits of form `hf` lie side by side, those of `yolo` each in a folder of its own. */
const kindOf = ({ format, split }: Form) => (format === 'yolo' ? `yolo (${split})` : format)

/**
 * Looks whether an export can be pushed, before it is made.
 *
 * @throws UserError where there is no token for the Hub, the bucket cannot be read, or has another kind of export
 */
export async function checkPush(address: PushAddress, form: Form): Promise<void> {
  if ('hub' in address) requireToken(address.hub)
  else await readPushRecord(openStorage(address.bucket), kindOf(form))
}

/**
 * Pushes an export with its papers. A split of form `hf` takes the place of the one that is there; other splits stay, and
 * stand in the README and in croissant.json beside it.
 *
 * @throws as `pushFolder` and `pushObjects` do
 */
export async function pushExport(
  out: string,
  address: PushAddress,
  { format, split, isPrivate, message, signal, onProgress }: PushExportOptions,
): Promise<Pushed | PushedObjects> {
  const files: string[] = []
  // What the command has said of its own folder is of this machine alone.
  for (const name of await filesBelow(out))
    if (name !== reportName && (await stat(join(out, name))).isFile()) files.push(name)
  const parts = {
    ...{ files: files.sort(), signal, onProgress },
    isOld: (path: string) => format !== 'hf' || splitOf(path) === split,
    ...(format === 'hf' && { texts: (there: PushSide) => papersOf(out, split, there) }),
  }
  return 'hub' in address
    ? pushFolder(out, address.hub, { ...parts, isPrivate, message })
    : pushObjects(out, address.bucket, { ...parts, kind: kindOf({ format, split }) })
}

/** The papers of all splits, where there are others than the one that is pushed. */
async function papersOf(out: string, split: string, there: PushSide): Promise<Record<string, string>> {
  const splits = there.paths.flatMap((path) => splitOf(path) ?? [])
  const others = [...new Set(splits)].filter((other) => other !== split).sort()
  if (others.length === 0) return {}
  const [readme, croissant] = await Promise.all(['README.md', croissantName].map((name) => there.read(name)))
  const own = {
    readme: await readText(join(out, 'README.md')),
    croissant: await readText(join(out, croissantName)),
  }
  const theirs = {
    ...(readme !== undefined && { readme }),
    ...(croissant !== undefined && { croissant }),
  }
  const merged = mergeSplits(own, others, theirs)
  return { 'README.md': merged.readme, [croissantName]: merged.croissant }
}
