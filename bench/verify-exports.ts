/**
 * Exports a grounding in every format, and has each read back by the readers that it is made for.
 *
 *     npm run verify:exports -- --python python3 [--dataset runs/quickstart/web] [--as round-1-filter]
 *
 * What that Python needs stands in bench/verify-exports.py, which reads any folders of exports by itself,
 * too.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packaged } from '../src/base/files/packaged.js'
import { exportFormats } from '../src/export/config.js'
import { option } from './report.js'

const dataset = option('dataset', 'runs/quickstart/web')
const grounding = option('as', '')
const python = option('python', 'python3')
const folder = await mkdtemp(join(tmpdir(), 'groundmill-verify-'))
const main = packaged('src/cli/main.ts')
const folders = exportFormats.map((format) => join(folder, format))
let status: number | null = 1
try {
  for (const [index, format] of exportFormats.entries()) {
    const given = ['export', dataset, '--format', format, '-o', folders[index]!]
    const args = [...given, ...(grounding ? ['--as', grounding] : []), '--json']
    execFileSync(process.execPath, ['--import', 'tsx', main, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  const script = packaged('bench/verify-exports.py')
  const environment = { ...process.env, TMPDIR: folder }
  status = spawnSync(python, [script, ...folders], { stdio: 'inherit', env: environment }).status
} finally {
  await rm(folder, { recursive: true })
}
process.exitCode = status ?? 1
