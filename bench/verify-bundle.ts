/**
 * The bundle on a machine that has nothing: unpacked into an empty folder, run with no variable set and, where that is
 * allowed, no network.
 *
 *     npm run verify:bundle -- [--archive FILE] [--json]
 *
 * Without FILE one is made first, which takes some minutes. What is tried: the version, through a link too; a short cycle
 * of teaching, labelling and training on drawn pictures; statistics, a query, an export; the page, asked over loopback; and
 * the benchmark of a device.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gatherFigures, option, printHelp, printReport } from './report.js'

await printHelp(import.meta.url)
const scratch = mkdtempSync(join(tmpdir(), 'groundmill-bundle-'))
const { figures, report } = gatherFigures()
const work = join(scratch, 'empty')
mkdirSync(work)

/**
 * Where this user may make namespaces, and `ip` is there, what runs has no network but its own loopback, over which the
 * cycle fetches its pictures.
 */
const alone = [
  '--map-root-user',
  '--net',
  '/bin/sh',
  '-c',
  'ip link set lo up && exec /usr/bin/env -i "$@"',
  '-',
]
const isAlone = spawnSync('unshare', [...alone, '/bin/true']).status === 0
const bare = (program: string, args: readonly string[]): [string, string[]] =>
  isAlone ? ['unshare', [...alone, program, ...args]] : ['/usr/bin/env', ['-i', program, ...args]]

/** Runs a program with no variable set. Gives what it prints. */
function run(program: string, ...args: readonly string[]): string {
  const [command, rest] = bare(program, args)
  return execFileSync(command, rest, { cwd: work, encoding: 'utf8', maxBuffer: 1 << 26, stdio: 'pipe' })
}

/** Does one thing, and reports how long it took and whether what came of it is right. */
async function check(name: string, work: () => boolean | Promise<boolean>): Promise<void> {
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  try {
    const isRight = await work()
    report(name, seconds(), 's', 'works', isRight)
  } catch (error) {
    const { stderr = '', message } = error as { readonly stderr?: string; readonly message: string }
    const why = (stderr.trim() || message).split('\n').at(-1)?.slice(0, 200)
    report(name, seconds(), 's', 'works', false, why)
  }
}

/** Whether the page is answered, over this machine's loopback. */
async function pageAnswers(program: string, dataset: string): Promise<boolean> {
  const child = spawn('/usr/bin/env', ['-i', program, 'inspect', dataset], { cwd: work })
  try {
    const address = await new Promise<string>((resolve, reject) => {
      let said = ''
      const hear = (text: Buffer) => {
        said += text
        const [found] = /http:\/\/\S+/.exec(said) ?? []
        if (found) resolve(found)
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.on('exit', () => reject(new Error(said)))
    })
    const page = await fetch(address)
    return page.ok && (await page.text()).includes('<script')
  } finally {
    child.kill()
  }
}

try {
  let archive = option('archive', '')
  if (archive === '') {
    archive = join(scratch, 'groundmill.tar.xz')
    execFileSync('npm', ['run', '--silent', 'bundle', '--', '--out', archive], { stdio: 'inherit' })
  }
  const megabytes = statSync(resolve(archive)).size / 1e6
  report('archive', megabytes, 'MB', '<= 64', megabytes <= 64)
  execFileSync('tar', ['-xf', resolve(archive), '-C', work])
  const [folder = ''] = readdirSync(work)
  const program = join(work, folder, 'groundmill')
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  await check('--version', () => run(program, '--version').trim() === version)
  await check('--version, through links', () => {
    symlinkSync(join(folder, 'groundmill'), join(work, 'link'))
    symlinkSync(join(work, 'link'), join(work, 'second'))
    return run(join(work, 'second'), '--version').trim() === version
  })
  await check('quickstart, four steps', () => {
    const rules = 'rounds.filter.rules=[{rule: score, min: 0.005}, {rule: max_boxes, phrase: 2}]'
    const settings = ['teacher.steps=4', 'rounds.train.steps=4', 'rounds.teach.floor=0.001', rules]
    run(program, 'quickstart', '--dataset', 'runs/toy', ...settings.flatMap((one) => ['--set', one]))
    return true
  })
  await check('stats', () => JSON.parse(run(program, 'stats', 'runs/toy/gold', '--json')) !== null)
  await check('query', () =>
    /\d/.test(run(program, 'query', 'runs/toy/gold', 'select count(*) as n from images')),
  )
  await check('export', () => {
    run(program, 'export', 'runs/toy/gold', '--format', 'coco', '--out', 'coco')
    return readdirSync(join(work, 'coco')).length > 0
  })
  await check('inspect', () => pageAnswers(program, 'runs/toy/gold'))
  await check('bench-device', () => {
    const bench = join(work, folder, 'bench-device')
    const args = ['--device', 'cpu', '--networks', 'toy', '--batches', '1', '--seconds', '0.1', '--json']
    const { figures } = JSON.parse(run(bench, ...args))
    return figures['toy, 1: label'].value > 0 && figures['toy, 1: train'].value > 0
  })
  report(
    'no network',
    isAlone ? 1 : 0,
    '',
    '',
    null,
    isAlone ? 'in a namespace of its own' : 'as this machine has it',
  )
  printReport('bundle', 1, figures)
  if (Object.values(figures).some(({ met }) => met === false)) process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
