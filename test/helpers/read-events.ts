/** What an event file says, read without the product's code: by hand, from the bytes of the format. */
export interface ReadEvent {
  readonly time: number
  readonly step: number
  readonly version?: string
  readonly start?: true
  readonly scalars: Readonly<Record<string, number>>
  readonly texts: Readonly<Record<string, string>>
}

/** Events of a whole file; its sums are not looked at. */
export function readEvents(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = []
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at))
    events.push(eventOf(file.subarray(at + 12, at + 12 + length)))
    at += length + 16
  }
  return events
}

type Field = number | Buffer

function eventOf(bytes: Buffer): ReadEvent {
  const fields = fieldsOf(bytes)
  const one = (number: number) => fields.find(([field]) => field === number)?.[1]
  const scalars: Record<string, number> = {}
  const texts: Record<string, string> = {}
  for (const [, summary] of fields.filter(([field]) => field === 5))
    for (const [, value] of fieldsOf(summary as Buffer)) {
      const own = new Map(fieldsOf(value as Buffer))
      const tag = String(own.get(1))
      if (own.has(2)) scalars[tag] = (own.get(2) as Buffer).readFloatLE()
      else texts[tag] = String(new Map(fieldsOf(own.get(8) as Buffer)).get(8))
    }
  const version = one(3)
  return {
    time: (one(1) as Buffer).readDoubleLE(),
    step: (one(2) as number | undefined) ?? 0,
    ...(version !== undefined && { version: String(version) }),
    ...((one(7) as Buffer | undefined)?.equals(Buffer.from([8, 1])) && { start: true as const }),
    scalars,
    texts,
  }
}

/** The fields of a message: numbers of varints, and the bytes of others. */
function fieldsOf(bytes: Buffer): [number, Field][] {
  let at = 0
  const varint = () => {
    let [value, factor] = [0, 1]
    for (;;) {
      const byte = bytes[at++]!
      value += (byte & 127) * factor
      factor *= 128
      if (byte < 128) return value
    }
  }
  const fields: [number, Field][] = []
  while (at < bytes.length) {
    const tag = varint()
    const kind = tag & 7
    const value = kind === 0 ? varint() : undefined
    const size = value !== undefined ? 0 : kind === 1 ? 8 : kind === 5 ? 4 : varint()
    fields.push([tag >>> 3, value ?? bytes.subarray(at, at + size)])
    at += size
  }
  return fields
}
