/** Where in a column's values pictures are: keys of structs from the outside in; lists are passed through. */
export interface PictureColumn {
  readonly name: string
  readonly keys: readonly string[]
}

/** A picture of a value, and how many more its lists hold. */
export interface FoundPicture {
  /** Absent where there are none. */
  readonly bytes?: Uint8Array
  /** What names the picture's file or address, where the value has no bytes. */
  readonly path?: string
  readonly others: number
}

/**
 * The first column that holds pictures by the features that Hugging Face datasets writes into a file: an
 * `Image` as it is, else one in a list (`List`, `Sequence`) or in a struct.
 */
export function pictureColumn(
  features: Readonly<Record<string, unknown>>,
  columns: readonly string[],
): PictureColumn | undefined {
  const found = columns.flatMap((name) => {
    const place = Object.hasOwn(features, name) ? imageIn(features[name], 0) : undefined
    return place ? [{ name, ...place }] : []
  })
  return found.find(({ isNested }) => !isNested) ?? found[0]
}

/** Deeper than features are nested. */
const mostDepth = 20

function imageIn(
  feature: unknown,
  depth: number,
): { readonly keys: readonly string[]; readonly isNested: boolean } | undefined {
  if (!feature || typeof feature !== 'object' || depth > mostDepth) return undefined
  // A list of one feature is how datasets wrote a list of it before.
  if (Array.isArray(feature)) return nested(imageIn(feature[0], depth + 1))
  const { _type, feature: inner } = feature as { readonly _type?: unknown; readonly feature?: unknown }
  if (_type === 'Image') return { keys: [], isNested: false }
  if (typeof _type === 'string') return nested(imageIn(inner, depth + 1))
  for (const [key, part] of Object.entries(feature)) {
    const place = imageIn(part, depth + 1)
    if (place) return { keys: [key, ...place.keys], isNested: true }
  }
  return undefined
}

const nested = (place: ReturnType<typeof imageIn>) => place && { ...place, isNested: true }

/**
 * The first picture of a value: bytes, a text that names it, a struct of `bytes` and `path`, or a list or a
 * struct with one of these in it.
 *
 * @param keys the structs' keys to follow; where they are not known, the first with a picture is taken
 */
export function pictureIn(value: unknown, keys: readonly string[] = []): FoundPicture | undefined {
  if (value instanceof Uint8Array) return value.length > 0 ? { bytes: value, others: 0 } : undefined
  if (typeof value === 'string') return value === '' ? undefined : { path: value, others: 0 }
  if (Array.isArray(value)) {
    const all = value.flatMap((part) => pictureIn(part, keys) ?? [])
    const [first] = all
    return first && { ...first, others: all.reduce((sum, { others }) => sum + others + 1, -1) }
  }
  if (!value || typeof value !== 'object') return undefined
  const [key, ...inner] = keys
  if (key !== undefined && Object.hasOwn(value, key))
    return pictureIn((value as Readonly<Record<string, unknown>>)[key], inner)
  if ('bytes' in value || 'path' in value) {
    const { bytes, path } = value as { readonly bytes?: unknown; readonly path?: unknown }
    return pictureIn(bytes) ?? pictureIn(path)
  }
  for (const part of Object.values(value)) {
    const found = typeof part === 'object' ? pictureIn(part) : undefined
    if (found) return found
  }
  return undefined
}
