import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../src/base/user-error.js'
import { Reject } from '../../src/ingest/fetch/reject.js'

export interface FuzzTarget {
  /** Kind of file and reader, such as `source coco: instances.json`. */
  readonly name: string
  /** Good files, which inputs are made of. */
  readonly samples: readonly Uint8Array[]
  /** Where an input lies while it is read. */
  readonly file?: string
  /** Reads an input as the program does; what it throws is the outcome. */
  read(bytes: Uint8Array): Promise<unknown>
}

/**
 * Reads inputs of a target. What was at the place of its file is there again when it is closed, for other targets
 * read it too.
 */
export function openTarget({ file, read }: FuzzTarget) {
  const good = file === undefined ? undefined : readIfThere(file)
  return {
    async read(bytes: Uint8Array): Promise<void> {
      // In memory, this is done at once; the pool of threads would take longer.
      if (file !== undefined) writeFileSync(file, bytes)
      await read(bytes)
    },
    close() {
      if (file === undefined) return
      if (good) writeFileSync(file, good)
      else rmSync(file, { force: true })
    },
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** Whether what was thrown is a refusal that was meant: of a row or of what the user gave. */
export const isRefusal = (error: unknown): error is Error =>
  error instanceof UserError || error instanceof Reject

export const textSample = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
export const jsonSample = (value: unknown): Uint8Array => textSample(JSON.stringify(value))

/** Files below a folder, or the file itself. */
export async function filesBelow(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
