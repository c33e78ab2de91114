/** SAM 3's own cgF1 of made-up cases, beside ours. */
import { execFileSync, type StdioOptions } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packaged } from '../src/base/files/packaged.js'
import type { CgF1Summary } from '../src/evaluate/pair-counts.js'
import type { drawSaco } from './draw-saco.js'

export type SacoCase = ReturnType<typeof drawSaco>

/** Writes the files of a case into a folder. @returns their paths */
export async function writeCase(folder: string, { files, predictions }: SacoCase) {
  await mkdir(folder, { recursive: true })
  const truths = files.map((_, at) => join(folder, `truth-${at}.json`))
  for (const [at, file] of files.entries()) await writeFile(truths[at]!, JSON.stringify(file))
  const found = join(folder, 'predictions.json')
  await writeFile(found, JSON.stringify(predictions))
  return { truths, found }
}

export interface OfficialScores {
  /** Seconds of the processor, for the files alone and for all else. */
  readonly reading: number
  readonly scoring: number
  /** By the official names, such as `positive_micro_F1@0.5`. */
  readonly stats: Readonly<Record<string, number>>
}

/**
 * @param checkout of facebookresearch/sam3, or a folder with its cgf1_eval.py
 * @param folders of cases; where one ends in "+", its time is the median of three runs
 */
export function officialScores(
  python: string,
  checkout: string,
  folders: readonly string[],
): readonly OfficialScores[] {
  const script = packaged('bench/verify-cgf1.py')
  const options = {
    encoding: 'utf8' as const,
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'inherit'] as StdioOptions,
  }
  return JSON.parse(execFileSync(python, [script, checkout, ...folders], options))
}

/** Our name of each official number. */
export function ownName(official: string): keyof CgF1Summary {
  const [name = '', at] = official.split('@')
  const own = name.toLowerCase().replace('positive_micro_f1', 'pmf1')
  return `${own}${at ? `_${Number(at) * 100}` : ''}` as keyof CgF1Summary
}
