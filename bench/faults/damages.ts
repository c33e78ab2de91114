/** A way in which one file is damaged. */
export interface Damage {
  readonly name: string
  /** What lies in its place: other bytes, an empty folder, nothing, a link out of the dataset, or no right to read it. */
  readonly instead: Uint8Array | 'folder' | 'nothing' | 'link' | 'unreadable'
}

const otherValues: readonly unknown[] = [null, [], {}, 'x', -1, 1e308]
/** Of an object whose keys are words or hashes of the data, so many are damaged. */
const mostKeys = 12

/** Every way in which a file is damaged: as bytes, and where it is JSON at each of its keys. */
export function damagesOf(bytes: Uint8Array): Damage[] {
  const flipped = (at: number) => {
    const changed = Uint8Array.from(bytes)
    if (changed.length > 0) changed[at] = (changed[at] as number) ^ 4
    return changed
  }
  const third = Math.floor(bytes.length / 3)
  const found: Damage[] = [
    { name: 'empty', instead: new Uint8Array() },
    { name: 'cut in half', instead: bytes.subarray(0, bytes.length >> 1) },
    { name: 'a bit flipped in the first part', instead: flipped(third >> 1) },
    { name: 'a bit flipped in the middle', instead: flipped(bytes.length >> 1) },
    { name: 'a bit flipped in the last part', instead: flipped(bytes.length - 1 - (third >> 1)) },
    { name: 'zeros', instead: new Uint8Array(bytes.length) },
    ...(['folder', 'nothing', 'link', 'unreadable'] as const).map((instead) => ({ name: instead, instead })),
  ]
  for (const [name, value] of changedValues(parsed(bytes)))
    found.push({ name, instead: Buffer.from(`${JSON.stringify(value, null, 1)}\n`) })
  return found
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

/** A value of JSON with one part of it changed, for each part and each other value, with the place in words. */
function* changedValues(value: unknown, at = ''): Generator<readonly [string, unknown]> {
  if (value === undefined) return
  for (const other of otherValues) yield [`${at || 'all'} is ${JSON.stringify(other)}`, other]
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    if (value.length === 0) return
    yield [`${at}[0] is missing`, value.slice(1)]
    yield [`${at}[0] is there twice`, [value[0], ...value]]
    for (const [name, changed] of changedValues(value[0], `${at}[0]`))
      yield [name, [changed, ...value.slice(1)]]
    return
  }
  const entries = Object.entries(value)
  yield [`${at} has __proto__`, Object.fromEntries([...entries, ['__proto__', { polluted: true }]])]
  for (const [index, [key, inner]] of entries.slice(0, mostKeys).entries()) {
    const place = at === '' ? key : `${at}.${key}`
    const withInner = (changed: readonly (readonly [string, unknown])[]) =>
      Object.fromEntries([...entries.slice(0, index), ...changed, ...entries.slice(index + 1)])
    yield [`${place} is missing`, withInner([])]
    for (const [name, changed] of changedValues(inner, place)) yield [name, withInner([[key, changed]])]
  }
}
