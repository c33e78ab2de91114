import { z } from 'zod'
import { parseConfig } from '../base/files/parse-config.js'
import { jsonOf } from '../base/files/read-json.js'
import { UserError } from '../base/user-error.js'
import { readLines } from '../formats/read-lines.js'

const judgementSchema = z.object({
  key: z.string(),
  caption: z.int().min(0),
  start: z.int().min(0),
  end: z.int().min(0),
  xyxy: z.tuple([z.number(), z.number(), z.number(), z.number()]).nullable(),
  stratum: z.string(),
  population: z.int().positive(),
  right: z.boolean().nullish(),
  missed: z.int().min(0).nullish(),
})

/** A line of a sample, as a person has judged it. */
export type Judgement = z.infer<typeof judgementSchema>

/**
 * Reads a sample that was judged: a line of JSON a label, as `audit --sample` writes them, with `right` and
 * perhaps `missed` filled in.
 *
 * @throws UserError that names the line
 */
export async function readJudgements(path: string): Promise<Judgement[]> {
  const judgements: Judgement[] = []
  for await (const line of readLines(path)) {
    const where = `${path}:${line.mark.line}`
    if (line.text === null) throw new UserError(`${where}: ${line.problem}.`)
    if (line.text.trim() === '') continue
    judgements.push(parseConfig(judgementSchema, jsonOf(line.text, where), where))
  }
  if (judgements.length === 0) throw new UserError(`${path}: there are no regions in it.`)
  return judgements
}
