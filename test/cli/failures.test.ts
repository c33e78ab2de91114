import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { listenError } from '../../src/base/explain-error.js'
import { UserError } from '../../src/base/user-error.js'
import { refuseUnknownCommands } from '../../src/cli/options/refuse-unknown.js'
import { refuseEmptyWords, requireOutputs } from '../../src/cli/options/refuse-words.js'
import { run } from '../../src/cli/run.js'
import { isJsonAsked } from '../../src/cli/terminal/json-asked.js'
import { failureOfRun } from '../../src/cli/terminal/run-end.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

describe('a word that is no command', () => {
  const program = new Command('groundmill').option('--verbose')
  program.command('run <pipeline>').option('--json')
  program.command('queue').command('status')
  const cards = program.command('datasets [name]')
  cards.command('check <name>')
  const refused = (words: string) => {
    try {
      refuseUnknownCommands(program, words.split(' '), { datasets: () => ['lvis', 'sbu'] })
      return ''
    } catch (error) {
      expect(error).toBeInstanceOf(UserError)
      return (error as Error).message
    }
  }

  it('is refused, whatever stands behind it, with the nearest', () => {
    expect(refused('rnu --help')).toBe(
      'there is no command "rnu". Did you mean "run"? There are: run, queue, datasets.',
    )
    expect(refused('--verbose bogus')).toMatch(/^there is no command "bogus"\. There are: run,/)
    expect(refused('help bogus')).toMatch(/"bogus"/)
    expect(refused('datasets lvsi --help')).toMatch(
      /no card and no command "datasets lvsi"\. Did you mean "lvis"/,
    )
    expect(refused('datasets chekc lvis file')).toMatch(/"datasets chekc"\. Did you mean "check"/)
    expect(refused('queue statu --help')).toMatch(/"queue statu"\. Did you mean "status"\?/)
  })

  it('is none that a command takes itself', () => {
    for (const words of [
      'run bogus',
      'datasets lvis',
      'datasets lvis --help',
      'datasets my/card.yaml',
      'datasets check x',
      'queue status',
      'help queue',
      '--help',
      '-- x',
    ])
      expect(refused(words)).toBe('')
  })
})

it('an empty word and a place that cannot be written are refused before the work', async () => {
  await writeFile(join(folder, 'p.yaml'), '')
  const program = new Command().exitOverride().hook('preAction', async (_, command) => {
    refuseEmptyWords(command)
    await requireOutputs(command)
  })
  program
    .command('train <dataset...>')
    .option('-o, --out <folder>')
    .option('--svg <file>')
    .option('--set <key>', '', (value, all: string[]) => [...all, value], [])
    .action(() => {})
  program
    .command('label <pictures>')
    .option('-o, --out <url>')
    .action(() => {})
  const said = (...words: readonly string[]) => asked('train', ...words)
  const asked = (...words: readonly string[]) =>
    program.parseAsync(words, { from: 'user' }).then(
      () => '',
      ({ message }: Error) => message,
    )
  expect(await said('d', '--out', 'x', '--set', 'a=')).toBe('')
  expect(await said('d', '--out', '')).toMatch(/^--out is given and empty/)
  expect(await said('s3://d', '--out', 's3://bucket/x')).toMatch(
    /^--out s3:\/\/bucket\/x: this is an address/,
  )
  expect(await asked('label', 'd', '--out', 's3://bucket/x')).toBe('')
  expect(await said('d', '--svg', folder)).toMatch(/^--svg .* is a folder, and a file is written/)
  expect(await said('d', '--svg', join(folder, 'p.yaml', 'a.svg'))).toMatch(
    /cannot be made: .*p.yaml is a file/,
  )
  expect(await said('d', ' ', '--out', 'x')).toMatch(/^<dataset> is given and empty/)
  expect(await said('d', '--out', 'x', '--set', '')).toMatch(/^--set is given and empty/)
})

it('reasons to try again are those that there are', async () => {
  await writeFile(
    join(folder, 'p.yaml'),
    'name: p\nstages: [{ name: a, uses: ingest, with: { card: cc3m, path: x } }]',
  )
  const retry = (retryFailed: string) =>
    run(join(folder, 'p.yaml'), { set: [], only: [], retryFailed }, new AbortController().signal)
  await expect(retry('http_404,tmeout')).rejects.toThrow(
    /no row is rejected for tmeout\. Did you mean "timeout"/,
  )
  await expect(retry('http_418,opt_out_noai,robots')).rejects.toThrow('x: there is no such file')
})

describe('a failure', () => {
  it('is JSON where that was asked for', () => {
    const asked = (words: string) => isJsonAsked(words.split(' '))
    expect(
      ['run p --json', 'query d x --format jsonl', 'query d x --format=json', 'stats --json d'].map(asked),
    ).toEqual([true, true, true, true])
    expect(
      ['run p', 'query d x --format csv', 'export d --format coco', 'run p -- --json'].map(asked),
    ).toEqual([false, false, false, false])
  })

  it('is one line on standard output, with its code, however early it comes', async () => {
    const lines = [
      ['stats', join(folder, 'nowhere'), '--json'],
      ['run', '--json'],
      ['rnu', '--json'],
    ]
    for (const { code, out, err } of await Promise.all(lines.map((words) => runCommand(...words)))) {
      const { error } = JSON.parse(out)
      expect([code, error.code, out.trim().split('\n').length]).toEqual([2, 2, 1])
      expect(err).toContain(error.message)
      expect(err.length).toBeGreaterThan(0)
    }
  })

  it('of a run is that of what must be mended, or of what can be tried again', () => {
    const outcome = { ran: 1, skipped: 0, failed: [], warnings: [], seconds: 1 }
    const why = 'nothing came of it' as const
    const stopped = [{ stage: 'words', at: 'web', why }]
    const outcomes = new Map([['web', { ...outcome, nothing: 'nothing came of "web"' }]])
    expect(failureOfRun({ outcomes, failed: 0, stopped })).toEqual({
      message: 'nothing came of "web"\n  not run, for they need it: words',
      code: 2,
    })
    expect(failureOfRun({ outcomes, failed: 3, stopped })?.code).toBe(1)
    expect(failureOfRun({ outcomes: new Map([['web', outcome]]), failed: 0, stopped: [] })).toBeUndefined()
  })

  it('to listen says which option to change', () => {
    const place = { host: '127.0.0.1', port: 80, option: '--port', hostOption: '--host' }
    const said = (code: string) =>
      listenError(Object.assign(new Error(`listen ${code}`), { code }), place).message
    expect(said('EADDRINUSE')).toMatch(/^port 80 of 127\.0\.0\.1 is taken: name another with --port/)
    expect(said('EACCES')).toMatch(/1024 or more with --port/)
    expect(said('EADDRNOTAVAIL')).toMatch(/no address of this machine: name one with --host/)
    expect(said('ENOTFOUND')).toMatch(/^there is no host 127\.0\.0\.1/)
    for (const code of ['EADDRINUSE', 'EACCES', 'ENOTFOUND', 'EADDRNOTAVAIL'])
      expect(said(code)).not.toContain(code)
  })
})
