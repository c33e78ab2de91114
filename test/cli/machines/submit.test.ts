import { execFileSync, spawnSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { UserError } from '../../../src/base/user-error.js'
import { submit as submitFiles } from '../../../src/cli/machines/submit.js'
import { directivesOf } from '../../helpers/cluster-jobs.js'
import { runCommand, runCommandIn } from '../../helpers/run-command.js'
import { standIn } from '../../helpers/stand-in.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const pipeline = `# A pipeline with \${list} in it.
name: photos
vars: {}
stages:
  - { name: web, uses: ingest, with: { format: tsv, path: "\${list}" } }
  - { name: phrases, uses: chunk, needs: [web] }
  - { name: label, uses: teach, needs: [phrases], with: { model: "\${model}", device: cuda } }
  - { name: kept, uses: filter, needs: [label] }
  - { name: out, uses: export, needs: [kept], with: { format: coco, out: exported } }
`

/** What shells and Kubernetes would take for their own. */
const odd = `a 'b' "c" $HOME $(touch pwned) \`x\` \\ ; & #.tsv`
const run = 's3://bucket/my run'

let folder: string
beforeAll(async () => {
  folder = join(await temporaryFolder(), "it's a $FOLDER")
  execFileSync('mkdir', ['-p', folder])
  await writeFile(join(folder, 'p.yaml'), pipeline)
})

const given = [`--set=list=${odd}`, '--set', 'model=m', '--dataset', run]

async function submit(...args: readonly string[]) {
  const { code, out, err } = await runCommandIn(folder, 'submit', 'p.yaml', ...given, ...args)
  return { code, out, err }
}

async function filesOf(...args: readonly string[]): Promise<Map<string, string>> {
  const { code, out, err } = await submit(...args, '--json')
  expect(code, err).toBe(0)
  return new Map(Object.entries(JSON.parse(out).files as Record<string, string>))
}

const expectShell = (text: string) => {
  const { status, stderr } = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
}

describe('groundmill submit --slurm', () => {
  it('makes an array of what goes from shard to shard, GPUs apart, and one job of the rest', async () => {
    const files = await filesOf(
      '--slurm',
      '--slices',
      '6',
      '--limit',
      '2',
      '--partition',
      'main',
      '--gpu-partition',
      'gpu',
    )
    expect([...files.keys()]).toEqual([
      '01-phrases.sbatch',
      '02-label.sbatch',
      '03-kept.sbatch',
      '04-out.sbatch',
      'submit.sh',
    ])
    for (const text of files.values()) expectShell(text)
    const directives = (name: string) => directivesOf(files.get(name))
    expect(directives('01-phrases.sbatch')).toEqual([
      '--job-name=photos-phrases',
      '--array=0-5%2',
      '--requeue',
      '--signal=B:TERM@60',
      '--open-mode=append',
      '--output=%x-%A_%a.log',
      '--time=24:00:00',
      '--cpus-per-task=4',
      '--mem=16384M',
      '--partition=main',
    ])
    expect(directives('02-label.sbatch')).toEqual([
      '--job-name=photos-label',
      ...directives('01-phrases.sbatch').slice(1, -1),
      '--partition=gpu',
      '--gres=gpu:1',
    ])
    expect(directives('04-out.sbatch')).toEqual([
      '--job-name=photos-out',
      '--requeue',
      '--signal=B:TERM@60',
      '--open-mode=append',
      '--output=%x-%j.log',
      '--time=24:00:00',
      '--cpus-per-task=4',
      '--mem=16384M',
      '--partition=main',
    ])
  })

  it('hands to the program what was given, letter by letter, and the slice of the task', async () => {
    const files = await filesOf('--slurm', '--slices', '6', '--command', 'show-arguments --all')
    const env = await standIn('show-arguments', `printf '%s\\0' "$PWD" "$@"`)
    const run = (name: string) =>
      execFileSync('bash', ['-c', files.get(name) ?? ''], {
        env: { ...env, SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_COUNT: '1' },
        encoding: 'utf8',
      })
        .split('\0')
        .slice(0, -1)
    const same = [folder, '--all', 'run', join(folder, 'p.yaml'), '--dataset', 's3://bucket/my run']
    const set = ['--set', `list=${odd}`, '--set', 'model=m']
    expect(run('01-phrases.sbatch')).toEqual([...same, ...set, '--only', 'phrases', '--slice', '3/6'])
    expect(run('04-out.sbatch')).toEqual([...same, ...set, '--only', 'out'])
    expect(await readdir(folder)).toEqual(['p.yaml'])
  })

  it('writes a script that submits each job after those that it needs have ended', async () => {
    const out = join(await temporaryFolder(), 'jobs of mine')
    const { code, out: printed, err } = await submit('--slurm', '-o', out)
    expect(code, err).toBe(0)
    expect(printed.split('\n')).toContain(join(out, 'submit.sh'))
    const env = await standIn(
      'sbatch',
      `printf '%s\\n' "$*" >> calls; echo "$((100 + $(wc -l < calls)));cluster"; test -f "\${@: -1}"`,
    )
    const said = execFileSync(join(out, 'submit.sh'), { env, encoding: 'utf8', cwd: '/' })
    expect(said).toContain('04-out.sbatch: job 104')
    expect((await readFile(join(out, 'calls'), 'utf8')).trim().split('\n')).toEqual([
      '--parsable 01-phrases.sbatch',
      '--parsable --dependency=afterany:101 02-label.sbatch',
      '--parsable --dependency=afterany:102 03-kept.sbatch',
      '--parsable --dependency=afterany:103 04-out.sbatch',
    ])
  })
})

interface Container {
  readonly args: readonly string[]
  readonly resources: unknown
  readonly envFrom?: unknown
}

describe('groundmill submit --k8s', () => {
  const kubernetes = ['--k8s', '--slices', '6', '--limit', '2', '--namespace', 'vision', '--claim', 'photos']

  it('makes Indexed Jobs and a ConfigMap of the pipeline', async () => {
    const files = await filesOf(...kubernetes, '--secret', 'bucket-keys', '--gpu', '2', '--memory', '512M')
    expect([...files.keys()]).toEqual([
      '01-pipeline.yaml',
      '02-phrases.yaml',
      '03-label.yaml',
      '04-kept.yaml',
      '05-out.yaml',
      'submit.sh',
    ])
    const read = (name: string) => parse(files.get(name) ?? '')
    const map = read('01-pipeline.yaml')
    expect(map).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'vision' } })
    expect(map.data['pipeline.yaml']).toBe(pipeline)
    const phrases = read('02-phrases.yaml')
    expect(phrases).toMatchObject({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'photos-phrases', namespace: 'vision' },
      spec: {
        completionMode: 'Indexed',
        completions: 6,
        parallelism: 2,
        backoffLimitPerIndex: 3,
        podFailurePolicy: {
          rules: [
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
            {
              action: 'FailIndex',
              onExitCodes: { containerName: 'groundmill', operator: 'In', values: [2, 75] },
            },
          ],
        },
        template: {
          spec: {
            restartPolicy: 'Never',
            securityContext: { runAsNonRoot: true },
            volumes: [
              { configMap: { name: 'photos-pipeline' } },
              { persistentVolumeClaim: { claimName: 'photos' } },
            ],
          },
        },
      },
    })
    const container = (name: string): Container => read(name).spec.template.spec.containers[0]
    // Kubernetes reads $$ as $.
    const asRead = container('02-phrases.yaml').args.map((arg) => arg.replaceAll('$$', '$'))
    expect(container('02-phrases.yaml').args.join(' ')).toContain('$$(touch pwned)')
    expect(asRead).toEqual([
      ...['run', '/pipeline/pipeline.yaml', '--dataset', run, '--set', `list=${odd}`, '--set', 'model=m'],
      ...['--only', 'phrases', '--slice', '$(JOB_COMPLETION_INDEX)/6'],
    ])
    const plain = { cpu: '4', memory: '512Mi' }
    expect(container('02-phrases.yaml').resources).toEqual({ requests: plain, limits: plain })
    const gpu = { ...plain, 'nvidia.com/gpu': '2' }
    expect(container('03-label.yaml').resources).toEqual({ requests: gpu, limits: gpu })
    expect(container('03-label.yaml').envFrom).toEqual([{ secretRef: { name: 'bucket-keys' } }])
    const out = read('05-out.yaml').spec
    expect(out).toMatchObject({ backoffLimit: 3, podFailurePolicy: { rules: [{}, { action: 'FailJob' }] } })
    expect(Object.keys(out)).not.toContain('completions')
    expect(container('05-out.yaml').args).not.toContain('--slice')
  })

  it('writes a script that creates a job when those before it are Complete or Failed', async () => {
    const out = await temporaryFolder()
    const { code, err } = await submit(...kubernetes, '-o', out)
    expect(code, err).toBe(0)
    expectShell(await readFile(join(out, 'submit.sh'), 'utf8'))
    // Every job is asked for twice: it runs, then it is over.
    const env = await standIn(
      'kubectl',
      `echo "$*" >> calls
       [ "$3" != wait ] || { echo "no condition yet" >&2; exit 0; }
       [ "$3" != get ] || { [ -f "seen-$5" ] && echo "FailureTarget Failed"; touch "seen-$5"; }`,
    )
    execFileSync(join(out, 'submit.sh'), { env, encoding: 'utf8', cwd: '/' })
    const calls = (await readFile(join(out, 'calls'), 'utf8')).trim().split('\n')
    expect(calls.every((call) => call.startsWith('--namespace vision '))).toBe(true)
    const steps = calls.map((call) => call.split(' ').slice(2))
    expect(steps.filter(([verb]) => verb !== 'get').map((step) => step.join(' '))).toEqual([
      'delete job --ignore-not-found --cascade=foreground photos-phrases photos-label photos-kept photos-out',
      'apply -f 01-pipeline.yaml',
      'create -f 02-phrases.yaml',
      'wait --for=condition=complete --timeout=15s job/photos-phrases',
      'create -f 03-label.yaml',
      'wait --for=condition=complete --timeout=15s job/photos-label',
      'create -f 04-kept.yaml',
      'wait --for=condition=complete --timeout=15s job/photos-kept',
      'create -f 05-out.yaml',
      'wait --for=condition=complete --timeout=15s job/photos-out',
    ])
  })

  it('gives long names and names with a hyphen at their end names that pods can have', async () => {
    const long = `${'very-'.repeat(20)}long`
    await writeFile(
      join(folder, 'long.yaml'),
      `name: ${long}\nstages:\n  - { name: web-, uses: ingest, with: { format: tsv, path: a.tsv } }\n`,
    )
    const { code, out, err } = await runCommandIn(
      folder,
      ...['submit', 'long.yaml', '--k8s', '--claim', 'c', '--json'],
    )
    expect(code, err).toBe(0)
    const { metadata, spec } = parse(JSON.parse(out).files['02-web-.yaml'])
    const names = [
      metadata.name,
      metadata.labels['groundmill/pipeline'],
      spec.template.spec.volumes[0].configMap.name,
    ]
    for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,48}[a-z0-9]$/)
  })
})

describe('groundmill submit', () => {
  const plain = { set: ['list=l.tsv', 'model=m'], only: [], sbatch: [], slices: 8, cpus: 4, memory: '16G' }
  const slurm = { ...plain, slurm: true }
  const k8s = { ...plain, k8s: true, dataset: run }
  const setting = (text: string) => ({ ...slurm, set: [...slurm.set, text] })

  it.each([
    [plain, 'Give --slurm or --k8s'],
    [{ ...slurm, k8s: true }, 'Give --slurm or --k8s'],
    [{ ...slurm, claim: 'c' }, '--claim is an option of --k8s alone'],
    [{ ...k8s, gpuPartition: 'g' }, '--gpu-partition is an option of --slurm alone'],
    [{ ...k8s, sbatch: ['--account=a'] }, '--sbatch is an option of --slurm alone'],
    [{ ...slurm, time: 'soon' }, '--time soon: expected'],
    [{ ...slurm, gres: 'gpu 1' }, '--gres gpu 1: expected'],
    [{ ...slurm, partition: 'a b' }, '--partition a b: expected'],
    [{ ...slurm, sbatch: ['account'] }, '--sbatch account: expected'],
    [{ ...slurm, sbatch: ['--account=a\nrm'] }, 'expected --name=value'],
    [{ ...slurm, memory: 'much' }, '--memory much: expected'],
    [{ ...slurm, slices: 100_001 }, 'at most 100,000'],
    [setting('web.path=l\n2'), 'cannot hold a newline'],
    [{ ...slurm, command: 'a\nb' }, 'cannot hold a newline'],
    [setting('web.base_url=http://me:secret@host/'), 'an address with a user or a password'],
    [{ ...k8s, dataset: 'runs/x' }, 'would lie in a pod'],
    [{ ...k8s, claim: 'My Claim' }, '--claim My Claim: Kubernetes names'],
    [{ ...k8s, image: 'a b' }, '--image a b: expected'],
    [{ ...slurm, only: ['none'] }, 'There is no stage "none"'],
  ] as const)('refuses %j', async (options, message) => {
    const error: unknown = await submitFiles(join(folder, 'p.yaml'), options, '1').catch((thrown) => thrown)
    expect(error).toBeInstanceOf(UserError)
    expect((error as UserError).message).toContain(message)
    expect((error as UserError).message).not.toContain('secret')
  })

  it('prints the files of a pipeline that comes with the program', async () => {
    const { code, out } = await runCommand(
      ...['submit', 'pipelines/cc3m.yaml', '--slurm', '--set', 'list=l.tsv', '--set', 'model=m'],
    )
    expect(code).toBe(0)
    expect(out.match(/^==> .* <==$/gm)).toEqual(['==> 01-grounding.sbatch <==', '==> submit.sh <=='])
  })

  it('ends with 2 and one line where something is to be mended', async () => {
    const { code, out, err } = await submit('--slurm', '--time', 'soon')
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^groundmill: --time soon: expected .*\n$/)
  })
})
