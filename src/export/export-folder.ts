import { readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type FileHash, GrowingHashes } from '../base/files/growing-hashes.js'
import { hashFile } from '../base/files/hash-file.js'
import { makeFolder } from '../base/files/make-folder.js'
import { absent, syncFolder } from '../base/files/sync-folder.js'
import { whyUnreadable } from '../base/files/why-unreadable.js'
import { asideSuffix, writeFileAtomic } from '../base/files/write-file-atomic.js'
import { hashBytes } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { LotMemory, openPartFile, type PartFile } from './part-file.js'

/** What an export folder says of itself; written last. */
export const reportName = 'export.json'
/** Begins the names of files that only help to make others; a finished export has none. */
export const helperPrefix = '.export-'
const stateName = `${helperPrefix}state.json`
/** Who was killed while the first state was written has left this alone. */
const isHalfState = (name: string) => name.startsWith(stateName) && name.endsWith(asideSuffix)

/** Where files have grown by so many bytes, a thread that hashes them is worth its start. */
const bytesWorthAThread = 16 << 20
const bytesWorthTelling = 4 << 20

/** How far an export has come, as it stands on the disk. */
export interface ExportState<Memory> {
  /** Hash of the configuration and the shards: the parts of another export are not continued. */
  readonly hash: string
  /** Shards that are done. */
  readonly shards: number
  /** Lengths of the growing files after the last of them. */
  readonly lengths: Readonly<Record<string, number>>
  /** What the writer must know to go on. */
  readonly memory: Memory
}

/**
 * A folder that is made as NAME.partial and moved to NAME when it is whole, so that a folder of that name is
 * never half made. Files grow shard by shard. What was written before a checkpoint outlives the program; what
 * came after it is cut off when the export is resumed.
 */
export class ExportFolder<Memory> {
  readonly #parts = new Map<string, PartFile>()
  readonly #folders = new Set<string>()
  #lengths: Readonly<Record<string, number>>
  #hashes: GrowingHashes | undefined
  /** Up to where the thread that hashes was told of each file. */
  readonly #told = new Map<string, number>()
  readonly #memory = new LotMemory()
  /** Files of single shards that are being brought to the disk. */
  #ending: Promise<void>[] = []
  /** The checkpoint that is being brought to the disk. */
  #checkpoint: Promise<void> = Promise.resolve()

  private constructor(
    /** Where files are made. */
    readonly path: string,
    readonly target: string,
    private readonly hash: string,
    /** The last checkpoint of an earlier run of the same export; undefined where there is none. */
    readonly saved: ExportState<Memory> | undefined,
  ) {
    this.#lengths = saved?.lengths ?? {}
  }

  /** Opens what an earlier run has begun of the same, or a new one. */
  static async open<Memory>(target: string, hash: string): Promise<ExportFolder<Memory>> {
    const path = `${resolve(target)}.partial`
    const saved = await readState<Memory>(path)
    if (saved && saved.hash === hash && saved.shards > 0 && (await hasFiles(path, saved.lengths)))
      return new ExportFolder(path, resolve(target), hash, saved)
    // A state that is damaged says whose the folder is, and no more.
    const names = await namesIn(path)
    if (!names.includes(stateName) && !names.every(isHalfState))
      throw new UserError(`${path} is there and was not begun by an export: move it, or name another folder.`)
    await rm(path, { recursive: true, force: true })
    await makeFolder(path)
    // With a state file the folder is known as an export's: a later run may remove it.
    await writeState(path, JSON.stringify({ hash, shards: 0, lengths: {} }))
    return new ExportFolder<Memory>(path, resolve(target), hash, undefined)
  }

  /** A file that grows over the whole export, or over one shard. */
  async part(name: string): Promise<PartFile> {
    const known = this.#parts.get(name)
    if (known) return known
    const path = join(this.path, name)
    // Of what only helps to make others nobody asks for a hash.
    const onWritten = name.startsWith(helperPrefix) ? () => {} : (length: number) => this.#grown(path, length)
    const part = await openPartFile(path, this.#lengths[name] ?? 0, { memory: this.#memory, onWritten })
    this.#parts.set(name, part)
    return part
  }

  /** Ends a file that belongs to one shard. It comes to the disk while others are written. */
  end(name: string): void {
    const part = this.#parts.get(name)
    if (!part) return
    this.#parts.delete(name)
    this.#ending.push(heard(part.flush().finally(() => part.close())))
  }

  /**
   * Notes that so many shards are done, when all that was written of them is on the disk, which is waited for while the
   * next shard is made: when this returns, the checkpoint before is there.
   */
  async checkpoint(shards: number, memory: Memory): Promise<void> {
    const lengths: Record<string, number> = {}
    for (const [name, part] of this.#parts) lengths[name] = part.length()
    this.#lengths = lengths
    const state: ExportState<Memory> = { hash: this.hash, shards, lengths, memory }
    const text = JSON.stringify(state)
    const written = this.#written()
    const before = this.#checkpoint
    this.#checkpoint = heard(Promise.all([before, written]).then(() => writeState(this.path, text)))
    await before
  }

  /** When all that was written until now is on the disk. */
  async #written(): Promise<void> {
    const ending = this.#ending
    this.#ending = []
    await Promise.all([...ending, ...[...this.#parts.values()].map((part) => part.flush())])
  }

  /** Removes a growing file. */
  async discard(name: string): Promise<void> {
    await this.#parts.get(name)?.close()
    this.#parts.delete(name)
    await rm(join(this.path, name), { force: true })
  }

  /** The path of a single file, such as a picture; makes the folder that it lies in. */
  async loosePath(name: string): Promise<string> {
    const path = join(this.path, name)
    const folder = dirname(path)
    if (!this.#folders.has(folder)) {
      await makeFolder(folder)
      this.#folders.add(folder)
    }
    return path
  }

  /** Writes a file, whole or not at all. */
  async write(name: string, text: string): Promise<void> {
    await writeFileAtomic(join(this.path, name), text)
  }

  /** Has all that was written on the disk: files are whole for who reads them. */
  async flush(): Promise<void> {
    await Promise.all([this.#checkpoint, this.#written()])
  }

  /** Length and SHA-256 of a file that is written. */
  hashOf(name: string, signal?: AbortSignal): Promise<FileHash> {
    const path = join(this.path, name)
    return this.#hashes ? this.#hashes.of(path, signal) : hashFile(path, signal)
  }

  #grown(path: string, length: number): void {
    // Told of every lot, the thread would open the file as often.
    if (length - (this.#told.get(path) ?? 0) < bytesWorthTelling) return
    this.#told.set(path, length)
    if (length >= bytesWorthAThread) this.#hashes ??= new GrowingHashes()
    this.#hashes?.grown(path, length)
  }

  /** Closes what is open; a later run can resume the folder. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#checkpoint, ...this.#ending])
    for (const part of this.#parts.values()) await part.close()
    this.#parts.clear()
    await this.#hashes?.close()
    this.#hashes = undefined
  }

  /** Writes the report and moves the folder to its place, over an earlier export. */
  async publish(report: object): Promise<void> {
    await this.flush()
    await this.close()
    // Of a program that was killed: nobody else writes here.
    for (const name of await namesIn(this.path))
      if (name.endsWith(asideSuffix)) await rm(join(this.path, name))
    await this.write(reportName, `${JSON.stringify(report, null, 1)}\n`)
    await syncFolder(this.path)
    const before = `${this.target}.replaced`
    await rm(before, { recursive: true, force: true })
    await makeFolder(dirname(this.target))
    await rename(this.target, before).catch(absent)
    await rename(this.path, this.target)
    await syncFolder(dirname(this.target))
    await removeHelpers(this.target)
    await rm(before, { recursive: true, force: true })
  }
}

/**
 * The report of the export that a folder holds; undefined where there is nothing.
 *
 * @throws UserError where something else lies there, which must not be replaced
 */
export async function readExport<Report>(target: string): Promise<Report | undefined> {
  const names = await namesIn(target)
  if (names.length === 0) return undefined
  const report = await readJson<Report>(join(target, reportName))
  if (!report) throw new UserError(`${target} is there and holds no export: name a new folder with -o.`)
  await removeHelpers(target)
  return report
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new UserError(`Cannot write to ${folder}: ${whyUnreadable(error)}`)
  })
}

async function removeHelpers(folder: string): Promise<void> {
  for (const name of await namesIn(folder))
    if (name.startsWith(helperPrefix)) await rm(join(folder, name), { force: true })
}

/** A state beside the hash of its text: who goes on from one that is damaged gives a damaged export. */
async function writeState(folder: string, text: string): Promise<void> {
  await writeFileAtomic(join(folder, stateName), JSON.stringify({ sum: hashBytes(text), text }))
}

/** A promise that is awaited later than it may fail. */
function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** Undefined where there is none, or where it is not what was written. */
async function readState<Memory>(folder: string): Promise<ExportState<Memory> | undefined> {
  const { sum, text } = (await readJson<{ sum?: unknown; text?: unknown }>(join(folder, stateName))) ?? {}
  return typeof text === 'string' && hashBytes(text) === sum ? JSON.parse(text) : undefined
}

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(absent)
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T)
  } catch {
    return undefined
  }
}

/** Whether files of at least these lengths are there. */
async function hasFiles(path: string, lengths: Readonly<Record<string, number>>): Promise<boolean> {
  for (const [name, length] of Object.entries(lengths)) {
    const found = await stat(join(path, name)).catch(absent)
    if ((found?.size ?? 0) < length) return false
  }
  return true
}
