import { execFileSync } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { type SlurmOptions, slurmFiles } from '../../../src/pipeline/clusters/slurm-files.js'
import { clusterRun, directivesOf, textsOf, threeSegments } from '../../helpers/cluster-jobs.js'
import { standIn } from '../../helpers/stand-in.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const segments = await threeSegments()
const options: SlurmOptions = {
  folder,
  command: 'show-arguments --all',
  time: '24:00:00',
  gres: 'gpu:a100:1',
  sbatch: [],
}

const filesOf = (changes: Partial<SlurmOptions> = {}, run = clusterRun) =>
  textsOf(slurmFiles(segments, run, { ...options, ...changes }))

const common = [
  '--requeue',
  '--signal=B:TERM@60',
  '--open-mode=append',
  '--output=%x-%A_%a.log',
  '--time=24:00:00',
  '--cpus-per-task=4',
  '--mem=512M',
]

describe('the files of Slurm', () => {
  it('are a job for each segment, and a script that may be run', () => {
    const files = slurmFiles(segments, clusterRun, options)
    expect(files.map(({ name, executable = false }) => [name, executable])).toEqual([
      ['01-phrases.sbatch', false],
      ['02-label.sbatch', false],
      ['03-kept.sbatch', false],
      ['04-scores.sbatch', false],
      ['submit.sh', true],
    ])
    expect(files.every(({ text }) => text.startsWith('#!/usr/bin/env bash\n') && text.endsWith('\n'))).toBe(
      true,
    )
  })

  it('ask for an array of slices, and for a GPU where one is wanted', () => {
    const files = filesOf()
    expect(directivesOf(files.get('01-phrases.sbatch'))).toEqual([
      '--job-name=photos-phrases',
      '--array=0-5',
      ...common,
    ])
    expect(directivesOf(files.get('02-label.sbatch'))).toEqual([
      '--job-name=photos-label',
      '--array=0-5',
      ...common,
      '--gres=gpu:a100:1',
    ])
    expect(directivesOf(files.get('04-scores.sbatch'))).toEqual([
      '--job-name=photos-scores',
      ...common.map((directive) => directive.replace('%A_%a', '%j')),
    ])
    expect(files.get('01-phrases.sbatch')).toContain('# web (ingest), phrases (chunk), a slice of 6 a task\n')
    expect(files.get('04-scores.sbatch')).toContain('# scores (audit)\n')
  })

  it('ask for what they are told to besides', () => {
    const files = filesOf(
      { partition: 'main', gpuPartition: 'gpu', sbatch: ['--account=vision', '--nice'] },
      { ...clusterRun, limit: 2 },
    )
    const [, array, ...others] = directivesOf(files.get('01-phrases.sbatch'))
    expect([array, ...others]).toEqual([
      '--array=0-5%2',
      ...common,
      '--partition=main',
      '--account=vision',
      '--nice',
    ])
    expect(directivesOf(files.get('02-label.sbatch')).slice(-4)).toEqual([
      '--partition=gpu',
      '--gres=gpu:a100:1',
      '--account=vision',
      '--nice',
    ])
    const partitions = (changes: Partial<SlurmOptions>) =>
      ['01-phrases.sbatch', '02-label.sbatch'].map((name) =>
        directivesOf(filesOf(changes).get(name)).find((directive) => directive?.startsWith('--partition')),
      )
    // GPU jobs go where the others do, if nothing else is said; and nobody goes to where GPU jobs alone go.
    expect(partitions({ partition: 'main' })).toEqual(['--partition=main', '--partition=main'])
    expect(partitions({ gpuPartition: 'gpu' })).toEqual([undefined, '--partition=gpu'])
  })

  it('run the program in the folder, with what was given letter by letter and the slice of the task', async () => {
    const odd = `a 'b' "c" $HOME $(touch pwned) \`x\` \\ ; & #.tsv`
    const files = filesOf({}, { ...clusterRun, set: [`list=${odd}`] })
    const env = await standIn('show-arguments', `printf '%s\\0' "$PWD" "$@"`)
    const run = (name: string) =>
      execFileSync('bash', ['-c', files.get(name) ?? ''], {
        env: { ...env, SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_COUNT: '1' },
        encoding: 'utf8',
        stdio: 'pipe',
      }).split('\0')
    const same = [folder, '--all', 'run', '/home/me/p.yaml', '--dataset', 's3://bucket/my run']
    const set = ['--set', `list=${odd}`]
    expect(run('01-phrases.sbatch')).toEqual([...same, ...set, '--only', 'phrases', '--slice', '3/6', ''])
    expect(run('04-scores.sbatch')).toEqual([...same, ...set, '--only', 'scores', ''])
  })

  it('end before the program where a command of theirs fails', async () => {
    const env = await standIn('show-arguments', 'echo started')
    const text = filesOf({ folder: join(folder, 'not there') }).get('04-scores.sbatch') ?? ''
    expect(() => execFileSync('bash', ['-c', text], { env, stdio: 'pipe' })).toThrow('not there')
  })

  it('are submitted each after those that it needs, of one cluster or several', async () => {
    const out = await temporaryFolder()
    for (const [name, text] of filesOf()) await writeFile(join(out, name), text)
    await chmod(join(out, 'submit.sh'), 0o755)
    // It prints a job's number, and of several clusters the cluster's name behind it.
    const env = await standIn(
      'sbatch',
      `printf '%s\\n' "$*" >> calls; echo "$((100 + $(wc -l < calls)));cluster"; test -f "\${@: -1}"`,
    )
    const said = execFileSync(join(out, 'submit.sh'), { env, encoding: 'utf8', cwd: '/', stdio: 'pipe' })
    expect(said).toBe(
      ['01-phrases', '02-label', '03-kept', '04-scores']
        .map((name, index) => `${name}.sbatch: job ${101 + index}\n`)
        .join(''),
    )
    expect(await readFile(join(out, 'calls'), 'utf8')).toBe(
      [
        '--parsable 01-phrases.sbatch',
        '--parsable --dependency=afterany:101 02-label.sbatch',
        '--parsable --dependency=afterany:102 03-kept.sbatch',
        '--parsable --dependency=afterany:103:101 04-scores.sbatch',
        '',
      ].join('\n'),
    )
    // What cannot be submitted ends the script.
    const failing = await standIn('sbatch', `printf '%s\\n' "$*" >> tried; exit 1`)
    expect(() => execFileSync(join(out, 'submit.sh'), { env: failing, stdio: 'pipe' })).toThrow()
    expect(await readFile(join(out, 'tried'), 'utf8')).toBe('--parsable 01-phrases.sbatch\n')
  })

  it('are none where a folder or a command would be lines of its own, or a password would stand in them', () => {
    for (const changes of [
      { folder: '/a\nrm' },
      { command: 'a\nrm' },
      { command: 'TOKEN=redis://me:secret@host/ groundmill' },
    ])
      expect(() => filesOf(changes), JSON.stringify(changes)).toThrow(UserError)
    expect(() => filesOf({}, { ...clusterRun, set: ['a=\u0007'] })).toThrow(UserError)
  })
})
