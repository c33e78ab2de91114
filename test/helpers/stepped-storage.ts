import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseOwner } from '../../src/storage/lock.js'
import type { Storage } from '../../src/storage/storage.js'
import { looking, type Step, waiting } from './interleave.js'

const asideSuffix = '.aside'
const day = 24 * 3600 * 1000

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/**
 * What several machines write to, in a folder: every operation happens in one instant, and time goes by only
 * when it is told to. What is half done when a writer is killed lies aside, as in a true storage.
 */
export class SteppedStore {
  /** When each file was last written. */
  readonly #written = new Map<string, number>()
  #now = 0

  /** @param isLocal false where it is to be taken for a store of objects */
  constructor(
    readonly root: string,
    readonly isLocal: boolean,
  ) {}

  get now() {
    return this.#now
  }

  pass(milliseconds: number) {
    this.#now += milliseconds
  }

  /** Names of all files, those aside too. */
  names(prefix = '.'): string[] {
    const folder = join(this.root, prefix)
    if (!existsSync(folder)) return []
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(this.root, join(entry.parentPath, entry.name)))
      .sort()
  }

  read(name: string): Buffer | undefined {
    const path = join(this.root, name)
    return existsSync(path) ? readFileSync(path) : undefined
  }

  #write(name: string, bytes: Uint8Array | string) {
    mkdirSync(dirname(join(this.root, name)), { recursive: true })
    writeFileSync(join(this.root, name), bytes)
    this.#written.set(name, this.#now)
  }

  #remove(name: string) {
    rmSync(join(this.root, name), { force: true })
  }

  #age(name: string) {
    return this.#now - (this.#written.get(name) ?? 0)
  }

  /** The store as a writer on a machine of its own sees it, who waits for `step` before every operation. */
  openBy(machine: string, step: Step): Storage {
    const { root } = this
    const path = (name: string) => join(root, name)
    /** Locks are taken by the machine, not by the process of the test. */
    const signed = (name: string, bytes: Uint8Array | string) => {
      const owner = name.endsWith('.lock') ? parseOwner(Buffer.from(bytes)) : undefined
      return owner ? `${JSON.stringify({ ...owner, host: machine })}\n` : bytes
    }
    const versionOf = (name: string) => {
      const bytes = this.read(name)
      return bytes && sha256(bytes)
    }
    let found: string | undefined
    const taken = async (name: string) => {
      // Who finds a lock taken looks at its age, and comes back for it.
      await step(found === name ? `${waiting} for ${name}` : `create ${name}`)
      found = undefined
    }
    return {
      url: root,
      path,
      isLocal: this.isLocal,
      exists: async (name) => {
        await step(`exists ${name}`)
        return existsSync(path(name))
      },
      read: async (name) => {
        await step(`read ${name}`)
        return this.read(name)
      },
      write: async (name, bytes) => {
        await step(`write ${name}`)
        this.#write(name, bytes)
      },
      create: async (name, bytes) => {
        await taken(name)
        if (existsSync(path(name))) return false
        this.#write(name, signed(name, bytes))
        return true
      },
      readVersioned: async (name) => {
        await step(`${name.endsWith('.lock') ? looking : 'read'} ${name}`)
        const bytes = this.read(name)
        return bytes && { bytes, version: sha256(bytes) }
      },
      swap: async (name, bytes, before) => {
        await step(`swap ${name}`)
        if (versionOf(name) !== before) return false
        this.#write(name, signed(name, bytes))
        return true
      },
      age: async (name) => {
        await step(`${looking} ${name}`)
        found = name
        return existsSync(path(name)) ? this.#age(name) : undefined
      },
      writeStream: async () => {
        throw new Error('shards are written aside')
      },
      writeAside: async (name, chunks) => {
        const aside = `${name}.${machine}-${randomBytes(4).toString('hex')}${asideSuffix}`
        await step(`begin ${name}`)
        this.#write(aside, 'half')
        const parts: Uint8Array[] = []
        for await (const chunk of chunks) parts.push(chunk)
        await step(`end ${name}`)
        this.#write(aside, Buffer.concat(parts))
        return {
          path: path(aside),
          place: async (final) => {
            await step(`place ${final}`)
            this.#write(final, readFileSync(path(aside)))
          },
          discard: async () => {
            await step(`discard ${name}`)
            this.#remove(aside)
          },
        }
      },
      list: async (prefix) => {
        await step(`list ${prefix}`)
        return this.names(prefix).filter((name) => !name.endsWith(asideSuffix))
      },
      listBeginning: async (start) => {
        await step(`list ${start}`)
        return this.names(dirname(start)).filter(
          (name) => name.startsWith(start) && !name.endsWith(asideSuffix),
        )
      },
      async *listFiles() {
        yield* []
        throw new Error('not asked for by writers')
      },
      folders: async () => {
        await step('folders')
        return readdirSync(root).filter((name) => statSync(path(name)).isDirectory())
      },
      remove: async (name) => {
        await step(`remove ${name}`)
        this.#remove(name)
      },
      sweep: async (folder) => {
        await step(`sweep ${folder}`)
        for (const name of this.names(folder))
          if (name.endsWith(asideSuffix) && this.#age(name) > day) this.#remove(name)
      },
    }
  }
}
