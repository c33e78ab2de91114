import { z } from 'zod'
import { jsonProblem } from '../../base/parse-json.js'
import { firstIssue, inWords } from '../../base/schema-words.js'
import { UserError } from '../../base/user-error.js'
import type { Storage } from '../../storage/storage.js'
import { exchangeOfPath, exchangePath, exchangesFolder } from '../exchange-files.js'
import {
  type ExportedPicture,
  exportedPictureSchema,
  type NumberedPicture,
  numbered,
} from './exported-picture.js'

/** What was exported to be reviewed: what comes back is held against it, whatever the dataset has by then. */
export interface ExchangeRecord {
  /** Eight hexadecimal digits, which the data give. */
  readonly id: string
  /** The stage whose boxes they are. */
  readonly grounding: string
  readonly pictures: ReadonlyMap<string, NumberedPicture>
}

/** What people review in one go is far less; all of it is in memory. */
const mostBytes = 128 << 20

const head = z.object({ version: z.literal(1), id: z.string(), grounding: z.string() })

/**
 * Keeps what is exported in the dataset, a picture a line.
 *
 * @throws UserError where it is more than can be held against what comes back
 */
export async function writeExchange(
  storage: Storage,
  {
    id,
    grounding,
    pictures,
  }: Omit<ExchangeRecord, 'pictures'> & { readonly pictures: readonly ExportedPicture[] },
): Promise<void> {
  const lines = [`${JSON.stringify({ version: 1, id, grounding })}\n`]
  let bytes = 0
  for (const { key, width, height, captions, phrases, boxes } of pictures) {
    const line = `${JSON.stringify({ key, width, height, captions, phrases, boxes })}\n`
    bytes += Buffer.byteLength(line)
    if (bytes > mostBytes)
      throw new UserError(
        `These are more pictures than an export for review may have (${mostBytes >> 20} MiB of captions and boxes): give some of them with --only, in several exports.`,
      )
    lines.push(line)
  }
  await storage.write(exchangePath(id), lines.join(''))
}

/** The ids of the exports of a dataset that are known, sorted. */
export async function listExchanges(storage: Storage): Promise<readonly string[]> {
  return (await storage.list(exchangesFolder)).flatMap((path) => exchangeOfPath(path) ?? [])
}

/**
 * What was exported under an id; undefined where nothing is known of it.
 *
 * @throws UserError where its file is damaged
 */
export async function readExchange(storage: Storage, id: string): Promise<ExchangeRecord | undefined> {
  const path = exchangePath(id)
  if (exchangeOfPath(path) === undefined) return undefined
  const bytes = await storage.read(path)
  if (!bytes) return undefined
  const where = storage.path(path)
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  const parse = <T>(schema: z.ZodType<T>, at: number): T => {
    const line = lines[at] ?? ''
    const damaged = (what: string) =>
      new UserError(`${where}, line ${at + 1}: ${what}: export the same again, which writes it anew.`)
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (error) {
      throw damaged(`it is not JSON: ${jsonProblem(line, error)}`)
    }
    const parsed = schema.safeParse(value, inWords)
    if (!parsed.success) throw damaged(firstIssue(parsed.error))
    return parsed.data
  }
  const { grounding } = parse(head, 0)
  const pictures: ExportedPicture[] = []
  for (let at = 1; at < lines.length; at++)
    if (lines[at] !== '') pictures.push(parse(exportedPictureSchema, at))
  return { id, grounding, pictures: new Map(numbered(pictures).map((picture) => [picture.key, picture])) }
}
