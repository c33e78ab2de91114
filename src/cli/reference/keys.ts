import { UserError } from '../../base/user-error.js'
import { editorSchema } from '../../keys/editor-schema.js'
import { findKeys, type KeyKind, keyKinds } from '../../keys/key-kinds.js'
import { type KeyRow, keyRows } from '../../keys/key-rows.js'
import { formatTable } from '../terminal/format-table.js'
import { print, printExact, printJson } from '../terminal/print.js'

export interface KeysOptions {
  readonly schema?: boolean
  readonly json?: boolean
}

/** `groundmill keys`: the kinds of things that have keys, the keys of one, one key, or a JSON Schema for editors. */
export async function keys(words: readonly string[], options: KeysOptions): Promise<void> {
  const all = keyKinds()
  if (options.schema) {
    const asked = findKeys(words.length > 0 ? words : ['pipeline'], all)
    if (!('kind' in asked))
      throw new UserError(
        `${words.join(' ')} is a key: a schema is of a kind, such as \`groundmill keys teach --schema\`.`,
      )
    await printExact(`${JSON.stringify(editorSchema(asked.kind, all), null, 1)}\n`)
    return
  }
  if (words.length === 0) return printKinds(all, options)
  const asked = findKeys(words, all)
  if ('kind' in asked) return printKind(asked.kind, all, options)
  const rows = asked.kinds.flatMap(({ kind }) =>
    keyRows(kind)
      .filter(({ key }) => key === asked.key || key.startsWith(`${asked.key}.`))
      .map((row) => ({ ...row, key: `${kind.name}.${row.key}` })),
  )
  if (options.json) return printJson(rows)
  print(keyTable(rows))
}

function printKinds(all: readonly KeyKind[], { json }: KeysOptions): void {
  if (json) {
    printJson(all.map((kind) => ({ name: kind.name, meaning: kind.meaning, keys: keyRows(kind) })))
    return
  }
  const rows = all.filter(({ name }) => !name.includes('.')).map(({ name, meaning }) => [name, meaning])
  print(
    `${formatTable(['keys of', 'which'], rows)}\n\n\`groundmill keys NAME\` lists them, such as \`keys teach\`, \`keys ingest tsv\`, \`keys teach.floor\` or \`keys floor\`.`,
  )
}

function printKind(kind: KeyKind, all: readonly KeyKind[], { json }: KeysOptions): void {
  const rows = keyRows(kind)
  if (json) {
    printJson({ name: kind.name, meaning: kind.meaning, keys: rows })
    return
  }
  const parts = all
    .filter(({ name }) => name.startsWith(`${kind.name}.`))
    .map(({ name, meaning }) => [name.replace('.', ' '), meaning])
  print(
    [
      `${kind.name.replace('.', ' ')}: ${kind.meaning}`,
      keyTable(rows),
      ...(parts.length > 0 ? [formatTable(['more keys', 'of'], parts)] : []),
    ].join('\n\n'),
  )
}

/** Longer defaults stand below the table, whose column they would widen. */
const longestDefault = 40

function keyTable(rows: readonly KeyRow[]): string {
  const isLong = ({ default: value = '' }: KeyRow) => value.length > longestDefault
  const cells = rows.map((row) => [
    row.key,
    row.keysOf === undefined ? row.type : `${row.type} of \`${row.keysOf.replace('.', ' ')}\``,
    isLong(row) ? '(below)' : (row.default ?? (row.required ? '(must be given)' : '-')),
    row.meaning,
  ])
  const long = rows.filter(isLong).map(({ key, default: value }) => `default of ${key}: ${value}`)
  return [formatTable(['key', 'type', 'default', 'meaning'], cells), ...long].join('\n')
}
