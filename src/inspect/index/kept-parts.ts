import { endianness } from 'node:os'
import { recordPath } from '../../rows/family-path.js'
import { identitiesOf, keep, keyOf, readKept } from '../../shards/kept-file.js'
import type { Storage } from '../../storage/storage.js'
import type { ImagePart, LayerPart } from './index-part.js'
import type { Layer } from './layer.js'
import type { StringTable } from './string-table.js'

/** Raised when parts that were kept are no longer those that would be made. */
const partsVersion = 1

const arrayTypes = { Uint8Array, Int32Array, Uint32Array, Float32Array, Float64Array }
type Numbers = InstanceType<(typeof arrayTypes)[keyof typeof arrayTypes]>

/** What a kept file says before its arrays. */
interface Head {
  /** In the order in which they follow, each at a multiple of 8 bytes. */
  readonly arrays: readonly (readonly [name: string, type: keyof typeof arrayTypes, length: number])[]
  readonly numbers: Readonly<Record<string, number>>
  /** Of each array of numbers of words: the words, by numbers of the file's own. */
  readonly words: Readonly<Record<string, readonly string[]>>
}

type Part = Readonly<Record<string, Numbers | number | null>>
/** Of arrays whose values are numbers of a table's words, the table. */
type Tables = Readonly<Record<string, StringTable>>

/** A part as bytes, words among them: their numbers are of one process alone. */
function encodePart(part: Part, tables: Tables): Buffer {
  const arrays: [string, keyof typeof arrayTypes, number][] = []
  const numbers: Record<string, number> = {}
  const words: Record<string, readonly string[]> = {}
  const pieces: Buffer[] = []
  for (const [name, value] of Object.entries(part)) {
    if (typeof value === 'number') numbers[name] = value
    if (value === null || typeof value === 'number') continue
    const table = tables[name]
    let values = value
    if (table) {
      const own = new Map<number, number>()
      values = Int32Array.from(value, (id) => {
        const known = own.get(id) ?? own.size
        own.set(id, known)
        return known
      })
      words[name] = Array.from(own.keys(), (id) => table.list[id] as string)
    }
    const type = Buffer.isBuffer(value) ? 'Uint8Array' : (values.constructor.name as keyof typeof arrayTypes)
    arrays.push([name, type, values.length])
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
    pieces.push(bytes, Buffer.alloc(aligned(bytes.length) - bytes.length))
  }
  const head = Buffer.from(JSON.stringify({ arrays, numbers, words } satisfies Head))
  const start = Buffer.alloc(aligned(4 + head.length))
  start.writeUInt32LE(head.length)
  head.copy(start, 4)
  return Buffer.concat([start, ...pieces])
}

const aligned = (length: number) => Math.ceil(length / 8) * 8

/** The part that `encodePart` was given, its words numbered by the tables of this process. */
function decodePart(content: Buffer, tables: Tables): Part {
  // A copy, which begins at a multiple of 8 bytes.
  const bytes = content.buffer.slice(content.byteOffset, content.byteOffset + content.length)
  const length = content.readUInt32LE()
  const head: Head = JSON.parse(content.toString('utf8', 4, 4 + length))
  const part: Record<string, Numbers | number> = { ...head.numbers, bytes: bytes.byteLength }
  let at = aligned(4 + length)
  for (const [name, type, count] of head.arrays) {
    const values = new arrayTypes[type](bytes as ArrayBuffer, at, count)
    at += aligned(values.byteLength)
    const table = tables[name]
    if (table) {
      const ids = head.words[name]?.map((word) => table.add(word)) ?? []
      for (let place = 0; place < count; place++) values[place] = ids[values[place] as number] as number
    }
    part[name] = values
  }
  return part
}

/**
 * Parts of an index that are kept beside a dataset in a folder of this machine, each with the identities of the
 * records of all that it was made of.
 */
export class KeptParts {
  constructor(
    private readonly storage: Storage,
    private readonly tables: Readonly<Record<'hosts' | 'texts' | 'heads', StringTable>>,
  ) {}

  /** The pictures of a shard, kept or made. */
  async images(shard: string, make: () => Promise<ImagePart>): Promise<ImagePart> {
    const records = [recordPath('images', null, shard)]
    const part = await this.#part(`index/images/${shard}`, records, [], { host: this.tables.hosts }, make)
    return { ...part, names: Buffer.from(part.names.buffer, part.names.byteOffset, part.names.length) }
  }

  /** A layer's boxes in a shard, kept or made. */
  async layer(layer: Layer, shard: string, make: () => Promise<LayerPart>): Promise<LayerPart> {
    const { phrases, boxes, madeBy } = layer
    if (madeBy === null) return make()
    const records = [
      recordPath('images', null, shard),
      ...(phrases === null ? [] : [recordPath('phrases', phrases, shard)]),
      ...(boxes === null ? [] : [recordPath(boxes.family, boxes.stage, shard)]),
    ]
    const { texts, heads } = this.tables
    const tables = { phraseText: texts, phraseHead: heads, boxHead: heads }
    const part = await this.#part(`index/layers/${layer.name}/${shard}`, records, [madeBy], tables, make)
    const { boxFrom = null, boxScore = null } = part
    return { ...part, boxFrom, boxScore }
  }

  async #part<P extends ImagePart | LayerPart>(
    name: string,
    records: readonly string[],
    madeBy: readonly string[],
    tables: Tables,
    make: () => Promise<P>,
  ): Promise<P> {
    const identities = await identitiesOf(this.storage, records)
    const known = identities.filter((one) => one !== undefined)
    if (known.length < identities.length) return make()
    const key = keyOf([`part ${partsVersion} ${endianness()}`, ...madeBy, ...known])
    const found = await readKept(this.storage, name, key)
    if (found) return decodePart(found, tables) as unknown as P
    const made = await make()
    await keep(this.storage, name, key, encodePart(made as unknown as Part, tables))
    return made
  }
}
