import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { filesBelow } from '../../base/files/files-below.js'
import { readText } from '../../base/files/read-file.js'
import { croissantName } from '../../card/croissant.js'
import { mergeSplits, splitOf } from '../../card/merge-splits.js'
import { reportName } from '../../export/export-folder.js'
import type { HubAddress } from '../../hub/hub-address.js'
import { type Pushed, pushFolder } from '../../hub/push-folder.js'

export interface PushExportOptions {
  readonly split: string
  readonly isPrivate?: boolean | undefined
  readonly message: string
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
}

/**
 * Pushes an export of form `hf` with its papers. Its split takes the place of the one that is there; other splits stay,
 * and stand in the README and in croissant.json beside it.
 *
 * @throws as `pushFolder` does
 */
export async function pushExport(
  out: string,
  address: HubAddress,
  { split, isPrivate, message, signal, onProgress }: PushExportOptions,
): Promise<Pushed> {
  const files: string[] = []
  // What the command has said of its own folder is of this machine alone.
  for (const name of await filesBelow(out))
    if (name !== reportName && (await stat(join(out, name))).isFile()) files.push(name)
  return pushFolder(out, address, {
    ...{ files: files.sort(), isPrivate, message, signal, onProgress },
    isOld: (path) => splitOf(path) === split,
    async texts(there): Promise<Record<string, string>> {
      const splits = there.files.flatMap(({ path }) => splitOf(path) ?? [])
      const others = [...new Set(splits)].filter((other) => other !== split).sort()
      if (others.length === 0) return {}
      const [readme, croissant] = await Promise.all(
        ['README.md', croissantName].map((name) => there.read(name)),
      )
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
    },
  })
}
