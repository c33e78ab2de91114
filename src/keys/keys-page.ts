import type { KeyKind } from './key-kinds.js'
import { type KeyRow, keyRows } from './key-rows.js'

/** `docs/keys.md`: every key of every kind, a table each. */
export function keysPage(all: readonly KeyKind[]): string {
  const sections = all
    .filter(({ name }) => !isVariant(name, all) || withVariants.some((kind) => name.startsWith(kind)))
    .map((kind) => sectionOf(kind, all))
  return `# Every key

Of pipelines, of what runs them, and of dataset cards. \`groundmill keys\` prints the same, of one kind or one key
(\`groundmill keys teach\`, \`groundmill keys ingest tsv\`, \`groundmill keys teach.floor\`), and \`groundmill keys --schema\` a JSON Schema
for editors. This page is made of the schemas themselves by \`npm run keys\`. Keys within a key are written with a dot, as \`--set\` takes
them; \`[]\` stands for each thing of a list.

${sections.join('\n\n')}
`
}

/** Kinds whose variants have a table each. */
const withVariants = ['ingest.', 'filter.', 'verify.']

const isVariant = (name: string, all: readonly KeyKind[]) =>
  all.some((kind) => name.startsWith(`${kind.name}.`) && kind.name !== name)

function sectionOf(kind: KeyKind, all: readonly KeyKind[]): string {
  const general = all.find(({ name }) => kind.name.startsWith(`${name}.`))
  const known = new Set(general?.schema.oneOf ? keyRows(general).map(({ key }) => key) : [])
  const rows = keyRows(kind).filter(({ key }) => !known.has(key))
  const more = known.size > 0 ? ` Besides the keys of every \`${general?.name}\` stage:` : ''
  const title = `${isVariant(kind.name, all) ? '###' : '##'} \`${kind.name.replace('.', ' ')}\``
  const text = kind.meaning === '' ? [] : ['', `${sentence(kind.meaning)}${more}`]
  if (rows.length === 0) return [title, ...text.map((line) => line.replace(/ Besides.*$/, ''))].join('\n')
  return [title, ...text, '', ...table(rows)].join('\n')
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** As biome leaves Markdown alone, columns need no padding. */
function table(rows: readonly KeyRow[]): string[] {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const lines = rows.map(({ key, type, default: value, required, meaning, keysOf }) => {
    const link =
      keysOf === undefined ? '' : `: those of [\`${keysOf.replace('.', ' ')}\`](#${keysOf.replace('.', '-')})`
    const given = value === undefined ? (required ? 'must be given' : '') : `\`${cell(value)}\``
    return `| \`${key}\` | ${cell(type)}${link} | ${given} | ${cell(meaning)} |`
  })
  return ['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...lines]
}
