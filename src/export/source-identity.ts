import { parseJson } from '../base/parse-json.js'

/** What the source calls a picture. */
export interface SourceIdentity {
  /** Its id, the key of its sample, its file, or its address: the first that the source gives. */
  readonly sourceId: string | null
  /** The name of its file, with the folders that the source gives. */
  readonly sourceName: string | null
}

/** Keys of `meta` that hold an id: that of an export that was read back, and those of sources. */
const idKeys = ['source_id', 'id', 'key', 'file_name'] as const
const nameKeys = ['file_name', 'key'] as const

/**
 * What a picture was called where it came from, by what ingest noted of it. A name with a whole path of some machine
 * is its last part.
 */
export function sourceIdentity({
  meta,
  url,
}: {
  readonly meta: string | null
  readonly url: string | null
}): SourceIdentity {
  const notes = notesIn(meta)
  const first = (keys: readonly string[]) =>
    keys.map((key) => textOf(notes[key])).find((text) => text !== null)
  // Of an export that was read back the file is the export's.
  const names = 'source_name' in notes ? ['source_name'] : nameKeys
  return { sourceId: first(idKeys) ?? url, sourceName: first(names) ?? null }
}

/** A source's id that is a whole number, as COCO's are; undefined where it is none. */
export function sourceNumber(identity: SourceIdentity): number | undefined {
  const { sourceId } = identity
  if (sourceId === null || !/^(0|[1-9]\d*)$/.test(sourceId)) return undefined
  const number = Number(sourceId)
  return Number.isSafeInteger(number) ? number : undefined
}

/** The identity as JSON has it: what is not known is left out. */
export const identityKeys = ({ sourceId, sourceName }: SourceIdentity) => ({
  ...(sourceId !== null && { source_id: sourceId }),
  ...(sourceName !== null && { source_name: sourceName }),
})

function textOf(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value !== 'string' || value.trim() === '') return null
  return /^([a-z]:)?[\\/]/i.test(value) ? (value.split(/[\\/]/).at(-1) ?? value) : value
}

function notesIn(meta: string | null): Readonly<Record<string, unknown>> {
  try {
    const notes = meta === null ? null : parseJson(meta)
    return notes && typeof notes === 'object' ? (notes as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
