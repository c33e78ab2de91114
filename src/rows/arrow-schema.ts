/** Arrow schemas of the column families, with the metadata by which Hugging Face datasets decodes them. */
import {
  Binary,
  Bool,
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  List,
  Schema,
  Struct,
  type TypeMap,
  Utf8,
} from 'apache-arrow'
import type { Family } from './rows.js'

/** Columns by name, in their order. */
export type Fields = Readonly<Record<string, DataType>>

/**
 * Every field may be null as far as Arrow is told: Hugging Face datasets takes a feature only for a field
 * that is equal to what it would have written itself, and drops an Image whose struct is `not null`.
 */
const fieldsOf = (fields: Fields) => Object.entries(fields).map(([name, type]) => new Field(name, type, true))
export const struct = (fields: Fields) => new Struct(fieldsOf(fields) as Field<TypeMap[string]>[])
export const listOf = (type: DataType) => new List(new Field('item', type, true))
export const xyxy = () => new FixedSizeList(4, new Field('item', new Float32(), true))

const columns: Readonly<Record<Family, Fields>> = {
  images: {
    key: new Utf8(),
    image: struct({ bytes: new Binary(), path: new Utf8() }),
    width: new Int32(),
    height: new Int32(),
    captions: listOf(struct({ text: new Utf8(), kind: new Utf8() })),
    url: new Utf8(),
    sha256: new Utf8(),
    phash: new Utf8(),
    fingerprint: new Utf8(),
    license: new Utf8(),
    meta: new Utf8(),
  },
  selection: { key: new Utf8(), reason: new Utf8(), duplicate_of: new Utf8() },
  phrases: {
    key: new Utf8(),
    phrases: listOf(
      struct({
        caption: new Int32(),
        text: new Utf8(),
        start: new Int32(),
        end: new Int32(),
        head: new Utf8(),
        expression_end: new Int32(),
        number: new Utf8(),
        count: new Int32(),
        attributes: listOf(struct({ kind: new Utf8(), text: new Utf8() })),
        kept: new Utf8(),
      }),
    ),
    left_out: listOf(
      struct({
        caption: new Int32(),
        text: new Utf8(),
        start: new Int32(),
        end: new Int32(),
        head: new Utf8(),
        reason: new Utf8(),
      }),
    ),
  },
  proposals: {
    key: new Utf8(),
    proposals: listOf(
      struct({
        phrase: new Int32(),
        xyxy: xyxy(),
        score: new Float32(),
        label: new Utf8(),
        contrast: new Float32(),
      }),
    ),
    teacher: new Utf8(),
  },
  verdicts: {
    key: new Utf8(),
    verdicts: listOf(
      struct({
        phrase: new Int32(),
        // Lists of any length may be null, those of four may not.
        xyxy: listOf(new Float32()),
        verdict: new Utf8(),
        probability: new Float32(),
        redrawn: listOf(new Float32()),
        start: new Int32(),
        end: new Int32(),
        judge: new Utf8(),
        person: new Bool(),
        reason: new Utf8(),
        at: new Utf8(),
      }),
    ),
  },
  grounding: {
    key: new Utf8(),
    regions: listOf(
      struct({
        caption: new Int32(),
        phrase: new Int32(),
        start: new Int32(),
        end: new Int32(),
        xyxy: xyxy(),
        score: new Float32(),
        origin: new Utf8(),
        area: new Float64(),
      }),
    ),
    ignored: listOf(struct({ text: new Utf8(), xyxy: xyxy(), area: new Float64(), crowd: new Bool() })),
    scale: new Float64(),
    disagreement: listOf(struct({ phrase: new Int32(), value: new Float32() })),
  },
  negatives: {
    key: new Utf8(),
    negatives: listOf(
      struct({ text: new Utf8(), evidence: new Utf8(), phrase: new Int32(), score: new Float32() }),
    ),
    exhaustive: new Bool(),
    partial: listOf(new Utf8()),
    teacher: new Utf8(),
  },
  rejects: { key: new Utf8(), url: new Utf8(), reason: new Utf8(), detail: new Utf8() },
}

/** What may really be null, by its path in the row; everything else must have a value. */
export const nullable: Readonly<Record<Family, ReadonlySet<string>>> = {
  images: new Set(['image.path', 'url', 'fingerprint', 'license', 'meta']),
  selection: new Set(['reason', 'duplicate_of']),
  phrases: new Set([
    'phrases.expression_end',
    'phrases.number',
    'phrases.count',
    'phrases.attributes',
    'phrases.kept',
    'left_out',
  ]),
  proposals: new Set(['proposals.label', 'proposals.contrast']),
  verdicts: new Set([
    'verdicts.xyxy',
    'verdicts.redrawn',
    'verdicts.start',
    'verdicts.end',
    'verdicts.reason',
    'verdicts.at',
  ]),
  grounding: new Set(['regions.area', 'ignored', 'scale', 'disagreement']),
  negatives: new Set(['negatives.score', 'teacher']),
  rejects: new Set(['key', 'url']),
}

/** The Arrow schema of a family. */
export const arrowSchema = (family: Family): Schema => schemaOf(columns[family])

/** The Arrow schema of columns; a column named `image` is a picture to Hugging Face datasets. */
export function schemaOf(columns: Fields): Schema {
  const fields = fieldsOf(columns)
  const features = Object.fromEntries(fields.map((field) => [field.name, featureOf(field.name, field.type)]))
  return new Schema(fields, new Map([['huggingface', JSON.stringify({ info: { features } })]]))
}

/**
 * The feature that Hugging Face datasets names a type by. Lists of structs are written as one-element JSON
 * lists and lists of scalars as `Sequence`, the forms that versions 2, 3 and 4 all read.
 */
function featureOf(name: string, type: DataType): unknown {
  if (name === 'image') return { _type: 'Image' }
  if (type instanceof Utf8) return { dtype: 'string', _type: 'Value' }
  if (type instanceof Bool) return { dtype: 'bool', _type: 'Value' }
  if (type instanceof Int32) return { dtype: 'int32', _type: 'Value' }
  if (type instanceof Float32) return { dtype: 'float32', _type: 'Value' }
  if (type instanceof Float64) return { dtype: 'float64', _type: 'Value' }
  if (type instanceof FixedSizeList) {
    return { feature: featureOf('item', type.valueType), length: type.listSize, _type: 'Sequence' }
  }
  if (type instanceof List) return [featureOf('item', type.valueType)]
  if (type instanceof Struct) {
    return Object.fromEntries(
      type.children.map((child: Field) => [child.name, featureOf(child.name, child.type)]),
    )
  }
  throw new Error(`no feature for column ${name} of type ${type}`)
}
