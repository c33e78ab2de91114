import { execFileSync } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { UserError } from '../../../src/base/user-error.js'
import {
  type KubernetesOptions,
  kubernetesFiles,
  requireObjectName,
} from '../../../src/pipeline/clusters/kubernetes-files.js'
import { clusterRun, textsOf, threeSegments } from '../../helpers/cluster-jobs.js'
import { standIn } from '../../helpers/stand-in.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const segments = await threeSegments()
const pipelineText = `# A pipeline with \${list} in it.\nname: photos\ndescription: ${'long '.repeat(40)}\n`
const options: KubernetesOptions = { image: 'registry.example/groundmill:1', gpus: 2, pipelineText }

const filesOf = (changes: Partial<KubernetesOptions> = {}, run = clusterRun) =>
  textsOf(kubernetesFiles(segments, run, { ...options, ...changes }))

const labels = { 'app.kubernetes.io/name': 'groundmill', 'groundmill/pipeline': 'photos' }
const run = ['run', '/pipeline/pipeline.yaml', '--dataset', 's3://bucket/my run']
// Kubernetes reads $$ as $.
const set = ['--set', 'list=a $$HOME.tsv']

describe('the files of Kubernetes', () => {
  it('are a ConfigMap of the pipeline, a job for each segment, and a script that may be run', () => {
    const files = kubernetesFiles(segments, clusterRun, options)
    expect(files.map(({ name, executable = false }) => [name, executable])).toEqual([
      ['01-pipeline.yaml', false],
      ['02-phrases.yaml', false],
      ['03-label.yaml', false],
      ['04-kept.yaml', false],
      ['05-scores.yaml', false],
      ['submit.sh', true],
    ])
    expect(parse(files[0]?.text ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'photos-pipeline', labels },
      data: { 'pipeline.yaml': pipelineText },
    })
  })

  it('have slices tried again each by itself, as long as nobody must mend something', () => {
    const text = filesOf().get('02-phrases.yaml') ?? ''
    expect(text.split('\n')[0]).toBe('# web (ingest), phrases (chunk)')
    // Amounts are written out twice, and no line is cut in two: people read them.
    expect(text).not.toMatch(/[&*]a\d/)
    const amounts = { cpu: '4', memory: '512Mi' }
    expect(parse(text)).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'photos-phrases', labels },
      spec: {
        completionMode: 'Indexed',
        completions: 6,
        parallelism: 6,
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
          metadata: { labels },
          spec: {
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 60,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 1000,
              runAsGroup: 1000,
              fsGroup: 1000,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            containers: [
              {
                name: 'groundmill',
                image: 'registry.example/groundmill:1',
                args: [...run, ...set, '--only', 'phrases', '--slice', '$(JOB_COMPLETION_INDEX)/6'],
                workingDir: '/data',
                resources: { requests: amounts, limits: amounts },
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
                volumeMounts: [
                  { name: 'pipeline', mountPath: '/pipeline', readOnly: true },
                  { name: 'data', mountPath: '/data' },
                ],
              },
            ],
            volumes: [
              { name: 'pipeline', configMap: { name: 'photos-pipeline' } },
              { name: 'data', emptyDir: {} },
            ],
          },
        },
      },
    })
  })

  it('have what is one job tried again as a whole', () => {
    const { spec } = parse(filesOf().get('05-scores.yaml') ?? '')
    expect(Object.keys(spec)).toEqual(['backoffLimit', 'podFailurePolicy', 'template'])
    expect(spec.backoffLimit).toBe(3)
    expect(spec.podFailurePolicy.rules[1].action).toBe('FailJob')
    expect(spec.template.spec.containers[0].args).toEqual([...run, ...set, '--only', 'scores'])
  })

  it('ask for GPUs where they are wanted, for few slices at once, and for what they are told to besides', () => {
    const given = { namespace: 'vision', claim: 'photos', secret: 'bucket-keys' }
    const files = filesOf(given, { ...clusterRun, limit: 2, dataset: 'run' })
    const read = (name: string) => parse(files.get(name) ?? '')
    for (const name of [...files.keys()].filter((one) => one.endsWith('.yaml')))
      expect(read(name).metadata.namespace, name).toBe('vision')
    const amounts = { cpu: '4', memory: '512Mi', 'nvidia.com/gpu': '2' }
    const { spec } = read('03-label.yaml')
    expect(spec).toMatchObject({ completions: 6, parallelism: 2 })
    const [container] = spec.template.spec.containers
    expect(container.resources).toEqual({ requests: amounts, limits: amounts })
    expect(container.envFrom).toEqual([{ secretRef: { name: 'bucket-keys' } }])
    expect(spec.template.spec.volumes[1]).toEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'photos' },
    })
    expect(parse(filesOf({}, { ...clusterRun, limit: 9 }).get('03-label.yaml') ?? '').spec.parallelism).toBe(
      6,
    )
  })

  it('leave no line cut in two', () => {
    const value = `list=${'a long word '.repeat(30)}`
    const text = filesOf({}, { ...clusterRun, set: [value] }).get('02-phrases.yaml') ?? ''
    expect(text.split('\n').some((line) => line.includes(value))).toBe(true)
  })

  it('are none where the run would go with its pod, or a password would stand in them', () => {
    const local = { ...clusterRun, dataset: 'runs/s3://x' }
    expect(() => filesOf({}, local)).toThrow(UserError)
    expect(() => filesOf({ claim: 'c' }, local)).not.toThrow()
    expect(() => filesOf({ pipelineText: 'vars: { queue: redis://me:secret@host/ }' })).toThrow(UserError)
  })

  it('have names that pods can be named after', () => {
    const nameOf = (pipeline: string) => {
      const files = kubernetesFiles(segments, { ...clusterRun, pipeline }, options)
      const { metadata } = parse(textsOf(files).get('02-phrases.yaml') ?? '')
      expect(metadata.labels['groundmill/pipeline']).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
      return metadata.name as string
    }
    const longest = 'a'.repeat(50 - '-phrases'.length)
    expect(nameOf(longest)).toBe(`${longest}-phrases`)
    const [one, other] = [nameOf(`${longest}bc`), nameOf(`${longest}bd`)]
    for (const name of [one, other]) expect(name).toMatch(/^a{41}-[0-9a-f]{8}$/)
    expect(one).not.toBe(other)
    // Where it is cut there would be hyphens.
    expect(nameOf(`${'a'.repeat(38)}---${'b'.repeat(20)}`)).toMatch(/^a{38}-[0-9a-f]{8}$/)
    // A label that ends in a hyphen is none.
    const { metadata } = parse(
      filesOf({}, { ...clusterRun, pipeline: 'ends-' }).get('01-pipeline.yaml') ?? '',
    )
    expect(metadata.labels['groundmill/pipeline']).toMatch(/^ends-[0-9a-f]{8}$/)
  })
})

describe('the script that runs the jobs of Kubernetes', () => {
  it('creates a job when those before it have ended, well or not, and waits for all in the end', async () => {
    const out = await temporaryFolder()
    const script = join(out, 'submit.sh')
    await writeFile(script, filesOf().get('submit.sh') ?? '')
    await chmod(script, 0o755)
    const states: Readonly<Record<string, string>> = { phrases: 'Complete', label: 'FailureTarget Failed' }
    // A job has ended when it is asked for a second time.
    const env = await standIn(
      'kubectl',
      `printf '%s\\n' "$*" >> calls
       [ "$1" != wait ] || { echo "no condition yet"; echo "none at all" >&2; exit 0; }
       [ "$1" = get ] && [ -f "seen-$3" ] || { touch "seen-$3"; exit 0; }
       case "$3" in *-label) echo "FailureTarget Failed" ;; *) echo Complete ;; esac`,
    )
    const said = execFileSync(script, { env, encoding: 'utf8', cwd: '/', stdio: 'pipe' })
    const get = (name: string) =>
      `get job photos-${name} -o jsonpath={.status.conditions[?(@.status=="True")].type}`
    const wait = (name: string) => `wait --for=condition=complete --timeout=15s job/photos-${name}`
    const until = (name: string) => [get(name), wait(name), get(name)]
    expect((await readFile(join(out, 'calls'), 'utf8')).trim().split('\n')).toEqual([
      'delete job --ignore-not-found --cascade=foreground photos-phrases photos-label photos-kept photos-scores',
      'apply -f 01-pipeline.yaml',
      'create -f 02-phrases.yaml',
      ...until('phrases'),
      'create -f 03-label.yaml',
      ...until('label'),
      'create -f 04-kept.yaml',
      ...until('kept'),
      get('phrases'),
      'create -f 05-scores.yaml',
      ...['phrases', 'label', 'kept'].map(get),
      ...until('scores'),
    ])
    // What waits says nothing.
    expect(said.split('\n').filter(Boolean)).toEqual(
      ['phrases', 'label', 'kept', 'phrases', 'phrases', 'label', 'kept', 'scores'].map(
        (name) => `photos-${name}:${states[name] ?? 'Complete'}`,
      ),
    )
  })

  it('asks for the namespace in every command, whatever it is called', () => {
    const commands = (text = '') =>
      text.replace(/^#.*$/gm, '').match(/kubectl.*? (?=delete|apply|create|get|wait)/g) ?? []
    const plain = commands(filesOf().get('submit.sh'))
    expect(plain.length).toBeGreaterThan(7)
    expect(commands(filesOf({ namespace: "vi'sion" }).get('submit.sh'))).toEqual(
      plain.map((command) => (command === 'kubectl ' ? `kubectl --namespace 'vi'\\''sion' ` : command)),
    )
  })

  it('ends where a command fails', async () => {
    const out = await temporaryFolder()
    await writeFile(join(out, 'submit.sh'), filesOf().get('submit.sh') ?? '')
    const env = await standIn('kubectl', `printf '%s\\n' "$1" >> calls; [ "$1" != apply ]`)
    expect(() => execFileSync('bash', [join(out, 'submit.sh')], { env, stdio: 'pipe' })).toThrow()
    expect(await readFile(join(out, 'calls'), 'utf8')).toBe('delete\napply\n')
  })
})

describe('a name of Kubernetes', () => {
  it('is of lower-case letters, digits, points and hyphens, and begins and ends with a letter or digit', () => {
    for (const name of ['a', '0', 'my-claim.v2', 'a'.repeat(253)])
      expect(() => requireObjectName(name, '--claim'), name).not.toThrow()
    for (const name of ['', '-a', 'a-', '.a', 'My', 'a b', 'a_b', 'a\nb', 'a'.repeat(254), 'xA', 'Ax'])
      expect(() => requireObjectName(name, '--claim'), name).toThrow(UserError)
  })
})
