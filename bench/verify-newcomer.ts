/**
 * Does as somebody new does: in an empty folder, the README's blocks one after another, each held against what the README
 * shows; then every mistake of docs/mistakes.md, which it writes.
 *
 *     npm run verify:newcomer -- --photos DIR --detector DIR [--write] [--json]
 *
 * `--photos` is a folder of COCO's form (images/, captions.json, instances.json), `--detector` a model folder. `--write`
 * puts what was printed into README.md, in the place of what it shows.
 */
import { execFileSync } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { formatTable } from '../src/cli/terminal/format-table.js'
import { captionsBeside } from './newcomer/captions-beside.js'
import { differingLine } from './newcomer/compare-output.js'
import { followDoc } from './newcomer/follow-doc.js'
import { makeMistakes, mistakesPage } from './newcomer/make-mistakes.js'
import { mistakeKinds } from './newcomer/mistakes.js'
import { shownAnew } from './newcomer/shown-anew.js'
import { option, refuse } from './report.js'

const photos = option('photos', '')
const detector = option('detector', '')
if (photos === '' || detector === '')
  refuse('verify:newcomer needs --photos DIR (images/, captions.json, instances.json) and --detector DIR.')
const has = (flag: string) => process.argv.includes(`--${flag}`)
const say = (text: string) => process.stderr.write(`${text}\n`)

const folder = await mkdtemp(join(tmpdir(), 'groundmill-newcomer-'))
try {
  await cleanCopy(folder)
  await captionsBeside(photos, join(folder, 'photos'))
  await cp(detector, join(folder, 'detector'), { recursive: true })
  await cp(photos, join(folder, 'coco'), { recursive: true })
  const readme = await readFile('README.md', 'utf8')
  // The page keeps its address with the user.
  const env = { XDG_STATE_HOME: join(folder, 'state') }
  const followed = await followDoc(readme, {
    folder,
    env,
    onBlock: ({ line, text }) => say(`README.md:${line}  ${text.split('\n', 1)[0]}`),
  })
  const steps = followed.map((step) => ({
    line: step.line,
    command: step.commands.split('\n')[0] ?? '',
    seconds: step.seconds,
    wrong:
      step.code !== 0
        ? `ended with ${step.code}: ${step.printed.slice(-2000)}`
        : step.shown === null
          ? null
          : differingLine(step.shown, step.printed),
  }))
  if (has('write')) await writeFile('README.md', shownAnew(readme, followed))
  for (const name of ['captions.json', 'instances.json'])
    await copyFile(join(photos, name), join(folder, name))
  say('mistakes')
  const made = await makeMistakes(mistakeKinds, folder, env)
  await writeFile('docs/mistakes.md', mistakesPage(made))
  const mistakes = made.map(({ title, ended, wrong }) => ({ title, code: ended, wrong }))
  const faults = [...steps, ...mistakes].filter(({ wrong }) => wrong !== null).length
  const load = loadavg().map((value) => Number(value.toFixed(1)))
  if (has('json'))
    process.stdout.write(`${JSON.stringify({ steps, mistakes, faults, cores: cpus().length, load })}\n`)
  else {
    const verdict = (wrong: string | null) => wrong ?? 'as it should'
    const table = [
      formatTable(
        ['README.md', 'first command', 'seconds', ''],
        steps.map(({ line, command, seconds, wrong }) => [line, command, seconds.toFixed(1), verdict(wrong)]),
      ),
      formatTable(
        ['mistake', 'code', ''],
        mistakes.map(({ title, code, wrong }) => [title, code ?? '-', verdict(wrong)]),
      ),
      `${faults} of ${steps.length + mistakes.length} are not as they should be; ${cpus().length} cores, load ${load.join(' ')}`,
    ]
    process.stdout.write(`${table.join('\n\n')}\n`)
  }
  if (faults > 0) process.exitCode = 1
} finally {
  if (has('keep')) say(folder)
  else await rm(folder, { recursive: true, force: true })
}

/** What a clone of the repository has, with what is not committed yet. */
async function cleanCopy(to: string): Promise<void> {
  const names = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { encoding: 'utf8' })
  for (const name of names.split('\0').filter(Boolean)) {
    await mkdir(dirname(join(to, name)), { recursive: true })
    await copyFile(name, join(to, name)).catch((error: NodeJS.ErrnoException) => {
      // Removed, and not committed yet.
      if (error.code !== 'ENOENT') throw error
    })
  }
}
