/**
 * What a user's `npm install groundmill` takes on the disk, and how long the program takes to say something from there:
 * the package is packed, installed in a folder of its own with npm, and asked for its help and for `stats` of a small
 * dataset. Node's own start is the control. Needs a registry of npm.
 *
 *     npm run bench:install -- [--runs 20] [--json]
 */
import { execFileSync } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { gatherFigures, median, option, printReport, spread } from './report.js'

const runs = Number(option('runs', '20'))
const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
const { figures, report } = gatherFigures()

type Names = [string, string, string]

/** MiB that files take, by the names below a folder; blocks, as du counts them. */
async function sizes(root: string): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const [, name = path] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? []
    found.set(name, (found.get(name) ?? 0) + (await lstat(path)).blocks / 2048)
  }
  return found
}

function milliseconds(args: readonly string[]): number {
  const start = performance.now()
  execFileSync(process.execPath, args, { stdio: 'ignore' })
  return performance.now() - start
}

/** The median of several starts, in turns with Node's own. */
function reportStart(name: string, args: readonly string[], limit: number) {
  const [own, node]: [number[], number[]] = [[], []]
  milliseconds(args)
  for (let run = 0; run < runs; run++) {
    own.push(milliseconds(args))
    node.push(milliseconds(['-e', '0']))
  }
  const value = median(own)
  const note = `${spread(own, 0)}, Node alone ${median(node).toFixed(0)}`
  report(name, value, 'ms', `<= ${limit}`, value <= limit, note)
}

try {
  const pack = ['pack', '--pack-destination', folder, '--json']
  const [packed] = JSON.parse(
    execFileSync('npm', pack, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', join(folder, packed.filename)], {
    cwd: folder,
    stdio: 'ignore',
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  })
  const modules = join(folder, 'node_modules')
  const found = await sizes(modules)
  const total = [...found.values()].reduce((sum, size) => sum + size, 0)
  report('node_modules of a user', total, 'MiB', '<= 460', total <= 460, `${found.size} packages`)
  for (const [name, size] of [...found].sort((a, b) => b[1] - a[1]).slice(0, 8)) report(name, size, 'MiB')
  const program = join(modules, 'groundmill/dist/cli/main.js')
  reportStart('--help', [program, '--help'], 100)
  const [run, pictures, pipeline] = ['run', 'pictures', 'small.yaml'].map((name) =>
    join(folder, name),
  ) as Names
  await mkdir(pictures)
  for (let index = 0; index < 20; index++) {
    const background = { r: 12 * index, g: 99, b: 200 }
    const picture = sharp({ create: { width: 320, height: 240, channels: 3, background } })
    await writeFile(join(pictures, `${index}.jpg`), await picture.jpeg().toBuffer())
    await writeFile(join(pictures, `${index}.txt`), `a plain picture of number ${index}\n`)
  }
  const source = `{ format: folder, path: ${pictures} }`
  await writeFile(pipeline, `name: small\nstages: [{ name: gold, uses: ingest, with: ${source} }]\n`)
  execFileSync(process.execPath, [program, 'run', pipeline, '--dataset', run], { stdio: 'ignore' })
  reportStart('stats of a small dataset', [program, 'stats', join(run, 'gold')], 200)
} finally {
  await rm(folder, { recursive: true, force: true })
}
printReport('install', runs, figures)
