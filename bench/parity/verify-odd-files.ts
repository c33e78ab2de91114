import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../src/base/user-error.js'
import { type OfficialScores, scoreFiles, scoreGap } from '../../test/helpers/score-files.js'
import type { Figure } from '../report.js'

/** A drawn case; the official program refuses those without numbers, which have answers about other pictures. */
type Drawn = Omit<OfficialScores, 'stats'> & { readonly stats: readonly number[] | null }

const programs = { coco: 'pycocotools', lvis: 'lvis-api' } as const
const limit = 1e-9

/**
 * Scores drawn files with ids from 0, repeated ids, `ignore`, crowds, annotations of unlisted pictures and the like
 * (`odd_files.py`) with this program and with pycocotools and lvis-api, where the Python has them.
 *
 * @param count files for each of the two
 */
export async function verifyOddFiles(python: string, count: number): Promise<Record<string, Figure>> {
  const figures: Record<string, Figure> = {}
  const all = drawFiles(python, count)
  if (typeof all === 'string') {
    for (const program of Object.values(programs)) figures[nameOf(program)] = figureOf(program, null, all)
    return figures
  }
  const folder = mkdtempSync(join(tmpdir(), 'groundmill-odd-files-'))
  try {
    for (const protocol of ['coco', 'lvis'] as const) {
      const cases = all.filter((one) => one.protocol === protocol)
      let worst: { readonly gap: number; readonly name: string } = { gap: 0, name: '' }
      for (const one of cases) {
        const gap = await gapOf(one, folder)
        // NaN is more than any gap.
        if (!(gap <= worst.gap)) worst = { gap, name: one.name }
      }
      const refused = cases.filter(({ stats }) => stats === null).length
      const note = `${cases.length} files, ${refused} of them refused by both${worst.gap > 0 ? `; worst: ${worst.name}` : ''}`
      const program = programs[protocol]
      figures[nameOf(program)] = figureOf(program, worst.gap, note)
      console.error(`${nameOf(program)}: ${worst.gap.toExponential(1)} from ${program}, ${note}`)
    }
    return figures
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const nameOf = (program: string) => `odd files, ${program}`

const figureOf = (program: string, value: number | null, note: string): Figure => ({
  value: value === null || Number.isNaN(value) ? null : value,
  unit: `from ${program}`,
  goal: `< ${limit}`,
  met: value !== null && value < limit,
  note,
})

/** The cases, or why there are none. */
function drawFiles(python: string, count: number): readonly Drawn[] | string {
  const script = fileURLToPath(new URL('odd_files.py', import.meta.url))
  try {
    const command = ['-W', 'ignore', script, '--random', String(count)]
    // What goes wrong is told in the table.
    return JSON.parse(execFileSync(python, command, { maxBuffer: 2 ** 30, encoding: 'utf8', stdio: 'pipe' }))
  } catch (error) {
    const lines = String((error as { readonly stderr?: string }).stderr ?? error)
      .trim()
      .split('\n')
    return `not measured: ${lines.at(-1)}`
  }
}

/** NaN where the two do not even agree on what is refused. */
async function gapOf({ protocol, truth, detections, stats }: Drawn, folder: string): Promise<number> {
  const paths = { truth: join(folder, 'truth.json'), found: join(folder, 'found.json') }
  writeFileSync(paths.truth, truth)
  writeFileSync(paths.found, detections)
  try {
    const own = await scoreFiles(protocol, paths)
    return stats ? scoreGap(own, stats) : Number.NaN
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return stats ? Number.NaN : 0
  }
}
