/** What a fuzzer makes of a good file: bytes changed, cut, doubled and put in, and values of JSON and YAML replaced. */
import fc from 'fast-check'
import { parseDocument, stringify } from 'yaml'
import { editedParts, layerOf } from './layers.js'

/** A place in a list, whatever its length: a share of it. Doubles would be drawn by their bits, nearly all tiny. */
const share = fc.noBias(fc.nat(999_999)).map((part) => part / 1e6)
const placeIn = (length: number, at: number) => Math.floor(at * length)

/** Lengths, counts and offsets that files lie with. */
const oddNumbers = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1_000_000_000n,
  0x7fffffffffffffffn,
  0xffffffffffffffffn,
]

/** What means something to one of the readers, or to a terminal. */
const oddTexts = [
  '\0',
  '\n',
  '\r\n',
  '\t',
  '"',
  "'",
  ',',
  ';',
  '\\',
  '\u001b[2J\u001b]0;x\u0007',
  '\u202e',
  '\ufeff',
  '\ud800',
  '\u{1f9d1}\u200d\u{1f680}',
  '../../../../etc/passwd',
  '/dev/zero',
  'file:///etc/passwd',
  'http://127.0.0.1/a.jpg',
  '__proto__',
  'constructor',
  'NaN',
  'Infinity',
  '-0',
  '1e999',
  '1e-999',
  '00',
  '9007199254740993',
  'null',
  'true',
  '{',
  '}',
  '[',
  ']',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
  '{"a":{"a":{"a":{"a":{"a":{"a":',
  '<',
  '>',
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '&b;',
  '&#x0;',
  '<![CDATA[',
  ']]>',
  '<!--',
  '&anchor *anchor',
  '!!binary ',
  '? - : ',
  '%',
  '{{',
  'á'.repeat(40),
  'a'.repeat(5000),
]

/** One change of bytes; `at` and the like are shares of the length. */
type Edit = (bytes: Uint8Array) => Uint8Array

const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

const setBytes = fc.tuple(share, fc.uint8Array({ minLength: 1, maxLength: 6 })).map(
  ([at, values]): Edit =>
    (bytes) => {
      const from = placeIn(bytes.length, at)
      return joined(bytes.subarray(0, from), values, bytes.subarray(from + values.length))
    },
)

const flipBit = fc.tuple(share, fc.nat(7)).map(
  ([at, bit]): Edit =>
    (bytes) => {
      const changed = bytes.slice()
      const place = placeIn(bytes.length, at)
      if (place < changed.length) changed[place] = changed[place]! ^ (1 << bit)
      return changed
    },
)

const setNumber = fc
  .tuple(share, fc.constantFrom(...oddNumbers), fc.constantFrom(1, 2, 4, 8), fc.boolean())
  .map(
    ([at, value, size, isLittle]): Edit =>
      (bytes) => {
        const number = Buffer.alloc(8)
        number.writeBigUInt64LE(value)
        const part = number.subarray(0, size)
        if (!isLittle) part.reverse()
        const from = placeIn(bytes.length, at)
        return joined(bytes.subarray(0, from), part, bytes.subarray(from + size))
      },
  )

const cut = share.map(
  (at): Edit =>
    (bytes) =>
      bytes.subarray(0, placeIn(bytes.length, at)),
)

const drop = fc.tuple(share, fc.integer({ min: 1, max: 300 })).map(
  ([at, length]): Edit =>
    (bytes) => {
      const from = placeIn(bytes.length, at)
      return joined(bytes.subarray(0, from), bytes.subarray(from + length))
    },
)

const copy = fc.tuple(share, share, fc.integer({ min: 1, max: 200 }), fc.constantFrom(1, 1, 2, 50, 1000)).map(
  ([from, to, length, times]): Edit =>
    (bytes) => {
      const start = placeIn(bytes.length, from)
      const part = bytes.subarray(start, start + length)
      const into = placeIn(bytes.length, to)
      const parts = Array.from({ length: times }, () => part)
      return joined(bytes.subarray(0, into), ...parts, bytes.subarray(into))
    },
)

const putText = fc.tuple(share, fc.constantFrom(...oddTexts), fc.boolean()).map(
  ([at, text, replaces]): Edit =>
    (bytes) => {
      const put = Buffer.from(text)
      const from = placeIn(bytes.length, at)
      return joined(bytes.subarray(0, from), put, bytes.subarray(from + (replaces ? put.length : 0)))
    },
)

const editedBytes = (sample: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.oneof(setBytes, flipBit, setNumber, cut, drop, copy, putText), { minLength: 1, maxLength: 4 })
    .map((edits) => edits.reduce((bytes, edit) => edit(bytes), sample))

/** Values that no place of a file expects. */
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, '', [], {}, [[]], [null], { a: null }),
  fc.constantFrom(0, -1, 0.5, 1e9, -1e9, 1e308, 2 ** 53, 5e-324),
  fc.constantFrom(...oddTexts),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.jsonValue({ maxDepth: 3 }),
)

/** A value with one of its parts replaced, taken out, or doubled; `at` is a share of its parts. */
function changedPart(value: unknown, at: number, change: { kind: string; value: unknown }): unknown {
  const places: { holder: Record<string, unknown> | unknown[]; key: string | number }[] = []
  const whole = { value: structuredClone(value) }
  const walk = (holder: Record<string, unknown> | unknown[]) => {
    for (const key of Array.isArray(holder) ? holder.keys() : Object.keys(holder)) {
      places.push({ holder, key })
      const part = (holder as Record<string | number, unknown>)[key]
      if (typeof part === 'object' && part !== null) walk(part as Record<string, unknown>)
    }
  }
  walk(whole)
  const { holder, key } = places[placeIn(places.length, at)]!
  if (Array.isArray(holder)) {
    const place = Number(key)
    if (change.kind === 'drop') holder.splice(place, 1)
    else if (change.kind === 'double') holder.splice(place, 0, structuredClone(holder[place]))
    else holder[place] = change.value
  } else if (change.kind === 'drop' && holder !== whole) delete holder[key]
  else if (change.kind === 'double' && holder !== whole) holder[`${key}2`] = holder[key]
  else holder[key] = change.value
  return whole.value
}

/** A file with a structure of which parts are other than a reader expects. */
const editedValue = (sample: unknown, write: (value: unknown) => string): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.record({ at: share, kind: fc.constantFrom('set', 'set', 'drop', 'double'), value: oddValue }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((changes) => changes.reduce((value, { at, ...change }) => changedPart(value, at, change), sample))
    .map((value) => new Uint8Array(Buffer.from(write(value))))

/** A sample's value, and how others like it are written: JSON, or YAML that is more than one text. */
function structureOf(
  sample: Uint8Array,
): { readonly value: unknown; readonly write: (value: unknown) => string } | undefined {
  const text = Buffer.from(sample).toString('utf8')
  try {
    const value = JSON.parse(text) as unknown
    return { value, write: (changed) => JSON.stringify(changed) ?? '' }
  } catch {
    // It may be YAML.
  }
  if (text.length > 20_000 || !/^[^\0\ufffd]*$/.test(text)) return undefined
  const document = parseDocument(text)
  const value = document.errors.length === 0 ? (document.toJS() as unknown) : undefined
  return isObject(value) ? { value, write: (changed) => stringify(changed) } : undefined
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null

/** Files within files that are edited. */
const deepest = 3

/**
 * A sample with one to four changes. Where it is packed, nine of ten lie in what it holds; where it has a structure,
 * half are whole but have other values.
 */
function edited(given: Uint8Array, depth = 0): fc.Arbitrary<Uint8Array> {
  // A Buffer's `slice` would share its bytes with the sample.
  const sample = new Uint8Array(given)
  const bytes = editedBytes(sample)
  const structure = structureOf(sample)
  if (structure) return fc.oneof(bytes, editedValue(structure.value, structure.write))
  const layer = depth < deepest ? layerOf(sample) : undefined
  if (!layer) return bytes
  const within = editedParts(layer).map((at) =>
    edited(layer.parts[at]!, depth + 1).map(
      (part) => new Uint8Array(layer.join(layer.parts.map((other, place) => (place === at ? part : other)))),
    ),
  )
  return fc.oneof({ arbitrary: bytes, weight: 1 }, { arbitrary: fc.oneof(...within), weight: 9 })
}

/** Files like the samples, but wrong: some of random bytes, some empty. */
function drawInput(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changed = samples.map((sample) => edited(sample))
  return fc.oneof(
    { arbitrary: fc.oneof(...changed), weight: 48 },
    { arbitrary: fc.uint8Array({ maxLength: 300 }), weight: 1 },
    { arbitrary: fc.constantFrom(...oddTexts).map((text) => new Uint8Array(Buffer.from(text))), weight: 1 },
  )
}

/** Inputs that are drawn at once: the first of a draw are simpler than the rest. */
const drawn = 250

/**
 * The inputs of a seed by their numbers: the same whenever they are asked for. One block of them is held.
 */
export function drawInputs(samples: readonly Uint8Array[], seed: number): (index: number) => Uint8Array {
  const input = drawInput(samples)
  let held: { readonly block: number; readonly inputs: readonly Uint8Array[] } | undefined
  return (index) => {
    const block = Math.floor(index / drawn)
    if (held?.block !== block)
      held = { block, inputs: fc.sample(input, { numRuns: drawn, seed: (seed * 1_000_003 + block) | 0 }) }
    return held.inputs[index % drawn]!
  }
}
