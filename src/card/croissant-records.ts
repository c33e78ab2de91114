import { counted } from '../base/counted.js'

/** Where the values of a field come from: a file or a set of files, and a step that takes them from there. */
export interface FieldSource {
  /** `@id` of a file or of a set of files. */
  readonly of: { readonly fileObject: string } | { readonly fileSet: string }
  readonly extract:
    | { readonly column: string }
    | { readonly jsonPath: string }
    | { readonly fileProperty: 'content' | 'filename' | 'fullpath' | 'lines' }
  /** Applied one after another; of a list to each of its values. */
  readonly transform?: readonly (
    | { readonly jsonPath: string }
    | { readonly regex: string }
    | { readonly separator: string }
  )[]
}

/** A field of a record, or one that is made of others. */
export interface RecordField {
  readonly name: string
  readonly description: string
  readonly type?: 'sc:Text' | 'sc:Integer' | 'sc:Float' | 'sc:URL' | 'sc:ImageObject' | 'cr:BoundingBox'
  /** A source, or the `@id` of a field of other records that are joined. */
  readonly source?: FieldSource | { readonly field: string }
  /** Of a list its shape: `-1` of any length, `4` of four values. */
  readonly shape?: string
  /** The `@id` of the field of other records that has the same value. */
  readonly references?: string
  readonly fields?: readonly RecordField[]
}

/** Records of one kind, as Croissant calls them a record set. */
export interface Records {
  readonly id: string
  readonly description: string
  /** The name of the field that tells records apart. */
  readonly key?: string
  readonly fields: readonly RecordField[]
}

/** Files of one kind that are not described one by one. */
export interface FileSet {
  readonly id: string
  readonly description: string
  /** Patterns of names from the folder on, or within what contains them. */
  readonly includes: readonly string[]
  /** Names of the archives that they lie in. */
  readonly containedIn?: readonly string[]
  readonly encodingFormat: string
}

/** What an export's files hold, as far as Croissant has words for it. */
export interface RecordLayout {
  readonly fileSets: readonly FileSet[]
  readonly records: readonly Records[]
}

/**
 * The pictures' files in a folder of an export; none where there are none.
 *
 * @param counts how many there are, by how they came there
 */
export function pictureFiles(folder: string, counts: Readonly<Record<string, number>>): FileSet[] {
  const count = Object.values(counts).reduce((sum, some) => sum + some, 0)
  if (count === 0) return []
  const described = { id: 'picture-files', description: `the files of ${counted(count, 'picture')}` }
  return [{ ...described, includes: [`${folder}/*/*`], encodingFormat: 'image/jpeg' }]
}

/** A list of objects of a column, or of a value at a path, with a field for each of their keys. */
export function listField(
  name: string,
  description: string,
  source: Omit<FieldSource, 'transform'>,
  keys: readonly (Pick<RecordField, 'name' | 'description' | 'type' | 'shape'> & {
    readonly path?: string
  })[],
  before: NonNullable<FieldSource['transform']> = [],
): RecordField {
  const fields = keys.map(
    ({ path, ...key }): RecordField => ({
      ...key,
      source: { ...source, transform: [...before, { jsonPath: path ?? key.name }] },
    }),
  )
  return { name, description, shape: '-1', fields }
}

/** Record sets in Croissant's JSON-LD. */
export const recordSets = (records: readonly Records[]): object[] =>
  records.map(({ id, description, key, fields }) => ({
    '@type': 'cr:RecordSet',
    '@id': id,
    name: id,
    description,
    ...(key !== undefined && { key: { '@id': `${id}/${key}` } }),
    field: fields.map((field) => fieldOf(id, field)),
  }))

function fieldOf(parent: string, field: RecordField): object {
  const { name, description, type, source, shape, references, fields } = field
  const id = `${parent}/${name}`
  return {
    '@type': 'cr:Field',
    '@id': id,
    name,
    description,
    ...(type && { dataType: type }),
    ...(shape !== undefined && { isArray: true, arrayShape: shape }),
    ...(source && { source: sourceOf(source) }),
    ...(references !== undefined && { references: { field: { '@id': references } } }),
    ...(fields && { subField: fields.map((inner) => fieldOf(id, inner)) }),
  }
}

function sourceOf(source: NonNullable<RecordField['source']>): object {
  if ('field' in source) return { field: { '@id': source.field } }
  const { of, extract, transform } = source
  const place = Object.fromEntries(Object.entries(of).map(([kind, id]) => [kind, { '@id': id }]))
  return { ...place, extract, ...(transform && { transform }) }
}

/** File sets in Croissant's JSON-LD. */
export const fileSets = (sets: readonly FileSet[]): object[] =>
  sets.map(({ id, description, includes, containedIn, encodingFormat }) => ({
    '@type': 'cr:FileSet',
    '@id': id,
    name: id,
    description,
    ...(containedIn && { containedIn: containedIn.map((name) => ({ '@id': name })) }),
    includes,
    encodingFormat,
  }))
