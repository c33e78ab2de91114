/** Where things lie in the two kinds of file that `torch.save` writes. */

import type { FileHandle } from 'node:fs/promises'
import { fromRandomAccessReaderPromise, RandomAccessReader } from 'yauzl'
import { readExactly } from '../base/files/read-exactly.js'
import { shownName, shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { readPickle } from './pickle.js'
import type { PickleValue } from './pickle-value.js'
import { PickleCutError, type TorchStorage, torchPickle } from './torch-pickle.js'

/** The pickle of a checkpoint, and where in the file the bytes of its storages are. */
export interface TorchArchive {
  readonly value: PickleValue
  readonly places: ReadonlyMap<string, Range>
}

interface Range {
  /** First byte. */
  readonly start: number
  /** Bytes. */
  readonly length: number
}

/** State dicts of billions of weights have pickles of some megabytes. */
const largestPickle = 2 ** 28

/**
 * `torch.save` since 1.6: a zip file with the pickle and each storage as an entry that is stored as it is.
 */
export async function readZipArchive(file: FileHandle, path: string): Promise<TorchArchive> {
  const entries = await zipEntries(file, path)
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name))
  if (pickles.length !== 1)
    throw new UserError(`${path} is a zip file, but not one of torch.save: it has no data.pkl in a folder.`)
  const folder = pickles[0]!.slice(0, -'data.pkl'.length)
  if (entries.has(`${folder}constants.pkl`))
    throw new UserError(`${path} is a TorchScript program. Save the model's state_dict() with torch.save.`)
  const order = entries.get(`${folder}byteorder`)
  if (
    order &&
    Buffer.from(await readExactly(file, order.start, Math.min(order.length, 16))).toString() !== 'little'
  )
    throw new UserError(`${path} was written on a big-endian machine. Load and save it again on another.`)

  const pickle = entries.get(pickles[0]!) as Range
  if (pickle.length > largestPickle)
    throw new UserError(
      `${path}: ${shownName(pickles[0]!)} has ${pickle.length} bytes, which no state dict needs.`,
    )
  const bytes = await readExactly(file, pickle.start, pickle.length)
  const { value } = readPickle(bytes, 0, torchPickle(`${path}: ${shownName(pickles[0]!)}`, new Map()))
  const data = `${folder}data/`
  const places = [...entries].filter(([name]) => name.startsWith(data))
  return { value, places: new Map(places.map(([name, range]) => [name.slice(data.length), range])) }
}

/** One a tensor: the largest models have some ten thousand. */
const mostEntries = 200_000

/** Where the bytes of each entry are. Throws a UserError where the zip file is damaged or compressed. */
async function zipEntries(file: FileHandle, path: string): Promise<ReadonlyMap<string, Range>> {
  try {
    const entries = new Map<string, Range>()
    const { size } = await file.stat()
    const zip = await fromRandomAccessReaderPromise(new BoundedReader(file, size), size, { autoClose: false })
    for await (const entry of zip.eachEntry()) {
      const { fileName: name, compressedSize: length } = entry
      if (entries.has(name)) throw new Error(`it has two entries named ${shownName(name)}`)
      if (entry.compressionMethod !== 0 || entry.isEncrypted())
        throw new Error(`${shownName(name)} is compressed or encrypted, which torch.save never does`)
      const { fileDataStart: start } = await zip.readLocalFileHeaderPromise(entry, { minimal: true })
      if (entries.size === mostEntries) throw new Error(`it has more than ${mostEntries} entries`)
      entries.set(name, { start, length })
    }
    return entries
  } catch (error) {
    throw new UserError(`${path} is damaged, or not a file of torch.save: ${(error as Error).message}.`)
  }
}

/** Reads for yauzl, whose own reader lets an offset beyond what a file can have end the program. */
class BoundedReader extends RandomAccessReader {
  constructor(
    private readonly file: FileHandle,
    private readonly size: number,
  ) {
    super()
  }

  override read(
    into: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (!(position >= 0 && position + length <= this.size)) {
      callback(new Error('it points beyond its own end'))
      return
    }
    this.file.read(into, offset, length, position).then(
      ({ bytesRead }) => callback(null, bytesRead),
      (error: Error) => callback(error),
    )
  }
}

/** The magic number with which files of `torch.save` before 1.6 begin, as the pickle that they begin with. */
const legacyMagic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex')

export function isLegacyArchive(head: Uint8Array): boolean {
  return legacyMagic.equals(head.subarray(0, legacyMagic.length))
}

/**
 * `torch.save` before 1.6: five pickles in a row (magic number, protocol version, facts about the machine,
 * the value, the keys of the storages), then each storage as its number of elements and its bytes.
 */
export async function readLegacyArchive(file: FileHandle, path: string): Promise<TorchArchive> {
  const { size } = await file.stat()
  // Nothing says how long the pickles are: read more of the file until they end.
  for (let length = Math.min(size, 2 ** 20); ; length = Math.min(size, 4 * length)) {
    const bytes = await readExactly(file, 0, length)
    try {
      const storages = new Map<string, TorchStorage>()
      const options = torchPickle(path, storages)
      let end = legacyMagic.length
      const next = () => {
        const read = readPickle(bytes, end, options)
        end = read.end
        return read.value
      }
      next()
      const machine = next()
      if (machine instanceof Map && machine.get('little_endian') === false)
        throw new UserError(`${path} was written on a big-endian machine. Load and save it again on another.`)
      const value = next()
      const keys = next()
      const places = await legacyPlaces(file, path, keys, storages, end)
      return { value, places }
    } catch (error) {
      if (!(error instanceof PickleCutError) || length === size || length >= largestPickle) throw error
    }
  }
}

async function legacyPlaces(
  file: FileHandle,
  path: string,
  keys: PickleValue,
  storages: ReadonlyMap<string, TorchStorage>,
  start: number,
): Promise<Map<string, Range>> {
  const { size } = await file.stat()
  const places = new Map<string, Range>()
  let at = start
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = storages.get(key as string)
    if (!storage) throw new UserError(`${path}: storage ${shownValue(key)} belongs to no tensor.`)
    const end = at + 8 + storage.bytes
    if (end > size) throw new UserError(`${path} is cut short: it ends inside storage ${shownValue(key)}.`)
    const elements = Number(Buffer.from(await readExactly(file, at, 8)).readBigInt64LE())
    if (elements !== storage.size)
      throw new UserError(
        `${path}: storage ${shownValue(key)} has ${elements} elements where its tensors need ${storage.size}.`,
      )
    places.set(storage.key, { start: at + 8, length: storage.bytes })
    at = end
  }
  return places
}
