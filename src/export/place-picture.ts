import { rmSync, writeFileSync } from 'node:fs'
import { link, readFile, rm, stat, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sniffImage } from '../pictures/sniff-image.js'
import type { ExportRow } from './export-rows.js'

const endings: Readonly<Record<string, string>> = { jpeg: 'jpg', tiff: 'tif' }

/** The ending of a picture's file name, without the dot, by its bytes. */
export function pictureEnding(bytes: Uint8Array): string {
  const format = sniffImage(bytes) ?? 'jpeg'
  return endings[format] ?? format
}

/** How a picture's file was made: written anew, or as a link to another. */
export type PictureTransfer = 'copied' | 'linked'

/**
 * Writes a picture as a file, or links it to a file of `from` with the same bytes: a hard link, a symbolic
 * one from another disk. That file is looked for by the name of an earlier export's picture and by the name
 * that the picture had when it was ingested; a picture that has been resized or encoded anew has other bytes,
 * and is copied.
 */
export async function placePicture(
  path: string,
  name: string,
  row: ExportRow,
  from: string | undefined,
): Promise<PictureTransfer> {
  if (from !== undefined) {
    for (const candidate of [join(from, name), ...ingestedFile(row, from)]) {
      if (!(await isSame(candidate, row.bytes))) continue
      await rm(path, { force: true })
      await link(candidate, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EXDEV' || error.code === 'EPERM') return symlink(resolve(candidate), path)
        throw error
      })
      return 'linked'
    }
  }
  writeNew(path, row.bytes)
  return 'copied'
}

/**
 * Writes a file, in the place of what a stopped run has left there. That is removed and not written over: it
 * may be a link, and the file it leads to is not ours.
 *
 * It is not left to another thread: to tell one of a small file, three times over, costs more than to make it.
 */
export function writeNew(path: string, content: Uint8Array | string): void {
  try {
    writeFileSync(path, content, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    rmSync(path)
    writeFileSync(path, content, { flag: 'wx' })
  }
}

/** The file that a picture was ingested from, where its source had names; never one outside of the folder. */
function ingestedFile({ meta }: ExportRow, from: string): string[] {
  if (meta === null) return []
  try {
    const name = (JSON.parse(meta) as { file_name?: unknown }).file_name
    if (typeof name !== 'string') return []
    const root = resolve(from)
    const path = resolve(root, name)
    return path.startsWith(`${root}/`) ? [path] : []
  } catch {
    return []
  }
}

async function isSame(path: string, bytes: Uint8Array): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile() || found.size !== bytes.length) return false
  return Buffer.compare(await readFile(path), bytes) === 0
}
