import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import {
  argumentsOf,
  describeStages,
  fileName,
  requireNoPassword,
  requirePlain,
} from '../../../src/pipeline/clusters/cluster-run.js'
import { segmentsOf } from '../../../src/pipeline/clusters/segments.js'
import { shellQuote } from '../../../src/pipeline/clusters/shell-quote.js'
import { wantsGpu } from '../../../src/pipeline/clusters/wants-gpu.js'
import { parsePipeline } from '../../../src/pipeline/read-pipeline.js'
import { clusterRun, threeSegments } from '../../helpers/cluster-jobs.js'

const [first] = await threeSegments()
if (!first) throw new Error('there are segments')

describe('what a job runs', () => {
  it('is the last stages of its segment, with all that was set', () => {
    const run = { ...clusterRun, set: ['a=1', 'b=2'] }
    expect(argumentsOf(run, { ...first, last: ['x', 'y'] })).toEqual(
      'run /home/me/p.yaml --dataset|s3://bucket/my run|--set a=1 --set b=2 --only x --only y'
        .split('|')
        .flatMap((part) => (part.includes('my run') ? [part] : part.split(' '))),
    )
    expect(argumentsOf({ ...run, set: [] }, { ...first, last: [] })).toHaveLength(4)
    expect(describeStages(first)).toBe('web (ingest), phrases (chunk)')
  })

  it('has no control characters, which job files cannot hold', () => {
    for (const text of ['a\nb', 'a\u0000', '\u001f', 'a\u007fb', '\t'])
      expect(() => requirePlain(text), JSON.stringify(text)).toThrow(UserError)
    for (const text of ['', 'a b', "ä'~$", 'redis://host/0']) expect(() => requirePlain(text)).not.toThrow()
    expect(() => argumentsOf({ ...clusterRun, dataset: 'a\nb' }, first)).toThrow(UserError)
    expect(() => argumentsOf({ ...clusterRun, set: ['a=1', 'b=\n'] }, first)).toThrow(UserError)
  })

  it('has no password, and none is shown where it is refused', () => {
    for (const text of [
      'redis://me:secret@host',
      'queue=REDIS://:secret@host:1/0',
      'a, git+ssh2.0-x://me:secret@host/',
      '"s3://key:secret@host/"',
      'x: https://a/ y: https://me:@host',
    ]) {
      expect(() => requireNoPassword(text), text).toThrow(UserError)
      expect(() => requirePlain(text), text).toThrow(/^(?!.*secret)/s)
    }
    for (const text of [
      'https://host:80/a@b',
      'https://me@host/',
      'a://b c:d@e',
      '"https://a:"b@c"',
      "a://'b:c@d'",
      'me:secret@host',
      'x://a:b',
      'https://a/b:c@d',
    ])
      expect(() => requireNoPassword(text), text).not.toThrow()
  })

  it('lies in files that are listed in their order', () => {
    expect(fileName(0, 3, first, 'yaml')).toBe('01-phrases.yaml')
    expect(fileName(98, 99, first, 'sbatch')).toBe('99-phrases.sbatch')
    expect(fileName(4, 100, first, 'sbatch')).toBe('005-phrases.sbatch')
  })
})

describe('an argument of a shell', () => {
  it('is read back as it is, and stays as it is where it is a plain word', () => {
    const odd = [
      "it's",
      '',
      'a b',
      '$HOME',
      '`x`',
      '"',
      '\\',
      "'",
      "''",
      '*',
      'a;b',
      'é',
      'a\n',
      '~',
      '#',
      '!',
    ]
    const plain = ['run', '--set', 'a=1', 's3://bucket/a_b-c', '50%', 'me@host', 'a,b', 'a+b.c:d']
    for (const text of plain) expect(shellQuote(text)).toBe(text)
    for (const text of odd) expect(shellQuote(text)).not.toBe(text)
    const all = [...odd, ...plain]
    const command = `printf '%s\\0' ${all.map(shellQuote).join(' ')}`
    const read = execFileSync('sh', ['-c', command], { encoding: 'utf8' })
    expect(read.split('\0').slice(0, -1)).toEqual(all)
  })
})

describe('a machine with a GPU', () => {
  const stageOf = async (uses: string, config: object) => {
    const needs = uses === 'teach' ? ['words'] : ['web']
    const { stages } = await parsePipeline({
      name: 'p',
      stages: [
        { name: 'web', uses: 'ingest', with: { format: 'tsv', path: 'a.tsv' } },
        { name: 'words', uses: 'chunk', needs: ['web'] },
        { name: 'x', uses, needs, with: config },
      ],
    })
    const stage = stages.find(({ name }) => name === 'x')
    if (!stage) throw new Error('there is no x')
    return stage
  }

  it('is wanted by a stage that can use one and names one', async () => {
    const wants = async (uses: string, config: object) => wantsGpu(await stageOf(uses, config))
    expect(await wants('teach', { model: 'm', device: 'cuda' })).toBe(true)
    expect(await wants('teach', { model: 'm', device: ['cpu', 'cuda'] })).toBe(true)
    expect(await wants('teach', { model: 'm', device: 'cpu' })).toBe(false)
    expect(await wants('teach', { model: 'm', device: ['cpu'] })).toBe(false)
    expect(await wants('teach', { model: 'm' })).toBe(false)
    expect(await wants('chunk', {})).toBe(false)
    const odd = { ...(await stageOf('chunk', {})), with: { device: 'cuda' } }
    expect(wantsGpu(odd as never)).toBe(false)
    const silent = { ...(await stageOf('teach', { model: 'm' })), with: {} }
    expect(wantsGpu(silent as never)).toBe(false)
  })
})

describe('the segments of a pipeline', () => {
  it('are none of stages in another order than their needs', () => {
    const stage = { name: 'words', uses: 'chunk', needs: ['web'], with: {} }
    expect(() => segmentsOf({ name: 'p', stages: [stage] } as never)).toThrow('"web" comes too late')
  })

  it('come before those that need them, and join what one job of the same level makes', async () => {
    const web = (name: string) => ({ name, uses: 'ingest', with: { format: 'tsv', path: 'a.tsv' } })
    const { stages } = await parsePipeline({
      name: 'p',
      stages: [
        web('a'),
        { name: 'once', uses: 'dedup', needs: ['a'] },
        web('b'),
        // Its pictures come from a job of the first level, what thins them from one of the second.
        { name: 'words', uses: 'chunk', needs: ['once'] },
        { name: 'label', uses: 'teach', needs: ['words'], with: { model: 'm' } },
        { name: 'out', uses: 'export', needs: ['label'], with: { format: 'coco', out: 'o' } },
      ].map((stage) => ({ needs: [], ...stage })),
    })
    const all = segmentsOf({ name: 'p', stages })
    expect(all.map(({ name, needs, last, sliced }) => [name, needs, last, sliced])).toEqual([
      ['a', [], ['a'], true],
      ['b', [], ['b'], true],
      ['once', ['a'], ['once'], false],
      ['label', ['once'], ['label'], true],
      ['out', ['label'], ['out'], false],
    ])
  })

  it('join no job that another one between them must come before', async () => {
    const { stages } = await parsePipeline({
      name: 'p',
      stages: [
        { name: 'web', uses: 'ingest', with: { format: 'tsv', path: 'a.tsv' } },
        { name: 'words', uses: 'chunk', needs: ['web'] },
        { name: 'label', uses: 'teach', needs: ['words'], with: { model: 'm', device: 'cuda' } },
        // It could go with the words, were it not for the labels that are made of them.
        { name: 'kept', uses: 'filter', needs: ['words', 'label'] },
      ],
    })
    expect(segmentsOf({ name: 'p', stages }).map(({ name, needs }) => [name, needs])).toEqual([
      ['words', []],
      ['label', ['words']],
      ['kept', ['words', 'label']],
    ])
  })
})
