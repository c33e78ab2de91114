import { readFile } from 'node:fs/promises'
import { counted } from '../base/counted.js'
import { refuseCredentials } from '../base/credentials.js'
import { packagedCard, packagedCards } from '../base/files/packaged.js'
import { parseConfig } from '../base/files/parse-config.js'
import { UserError } from '../base/user-error.js'
import { checkCard } from '../ingest/check-card.js'
import { type Card, ingestConfig } from '../ingest/config.js'
import { openSource, readCard } from '../ingest/open-source.js'
import { setOptions } from './options/set-options.js'
import { formatTable } from './terminal/format-table.js'
import { print, printExact, printJson } from './terminal/print.js'

/** `groundmill datasets`: the cards that come with the program, or one of them. */
export async function datasets(
  name: string | undefined,
  options: { readonly json?: boolean },
): Promise<void> {
  if (name !== undefined) {
    const path = await cardPath(name)
    const card = await readCard(path)
    if (options.json) printJson(card)
    else await printExact(await readFile(path, 'utf8'))
    return
  }
  const cards = await Promise.all(packagedCards().map(readCard))
  if (options.json) {
    printJson(cards)
    return
  }
  const rows = cards.map(({ name: own, format, rows: count, title }) => [own, format, count ?? '', title])
  print(formatTable(['name', 'format', 'rows', 'title'], rows))
}

export interface CheckOptions {
  readonly set: readonly string[]
  readonly rows?: number
  readonly json?: boolean
}

/** `groundmill datasets check`: exit code 1 where the file is not what the card says. */
export async function checkDataset(
  name: string,
  file: string,
  options: CheckOptions,
  signal: AbortSignal,
): Promise<void> {
  const card = await readCard(await cardPath(name))
  const main = card.format === 'coco' ? 'instances' : 'path'
  const given = { card: name, [main]: file, ...setOptions(options.set) }
  refuseCredentials(given, '--set', 'would be printed: take it out')
  const source = await openSource(parseConfig(ingestConfig, given, '--set'), '--set')
  const check = await checkCard(card, source, options.rows, signal).finally(() => source.close())
  if (check.faults.length > 0) process.exitCode = 1
  if (options.json) {
    const error = { message: `It does not fit the card: ${check.faults.join('; ')}.`, code: 1 }
    printJson({ card: card.name, file, ...check, ...(check.faults.length > 0 && { error }) })
    return
  }
  const { rows, stopped, captions, regions, problems, examples, dropped, first, faults } = check
  const counts = (tally: Readonly<Record<string, number>>) =>
    Object.entries(tally)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', ')
  const lines = [
    `${file} as ${card.name} (${card.format}${columnsOf(card)})`,
    `  ${counted(rows, 'row')}${stopped ? ' read, there are more' : ''}, ${counted(captions, 'caption')}${regions ? `, ${counted(regions, 'region')}` : ''}`,
    ...(Object.keys(problems).length > 0 ? [`  not usable: ${counts(problems)}`] : []),
    ...examples.map((detail) => `    ${detail}`),
    ...(Object.keys(dropped).length > 0 ? [`  left out: ${counts(dropped)}`] : []),
    ...first.map(({ url, place, captions: texts, regions: boxes }) => {
      const what = boxes === null ? '' : `, ${counted(boxes, 'region')}`
      return `  ${url ?? place}: ${texts.map((text) => JSON.stringify(text)).join(' ') || 'no caption'}${what}`
    }),
    faults.length === 0 ? 'It fits the card.' : `It does not fit the card: ${faults.join('; ')}.`,
  ]
  print(lines.join('\n'))
}

function columnsOf({ columns }: Card): string {
  if (!columns) return ''
  const { url, caption, image } = columns
  const named = Object.entries({ url, caption, image }).filter(([, column]) => column !== undefined)
  return named.map(([use, column]) => `, ${use} in column ${column}`).join('')
}

/** A card's file: that of a name, or the path itself. */
async function cardPath(name: string): Promise<string> {
  if (/[/\\.]/.test(name)) return name
  const names = packagedCards()
  const path = packagedCard(name)
  if (path && names.includes(name)) return path
  throw new UserError(`There is no card "${name}"; there are: ${names.join(', ')}.`)
}
