import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { checkDataset } from '../../src/cli/datasets.js'
import { stats } from '../../src/cli/stats.js'
import { say } from '../../src/cli/terminal/print.js'
import { createProgress } from '../../src/cli/terminal/progress.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const secret = 'pa55word'
const address = `http://me:${secret}@127.0.0.1:9/x/`
const bucket = `s3://bucket/a?endpoint=http://me:${secret}@127.0.0.1:9&region=x`

afterEach(() => {
  vi.restoreAllMocks()
})

/** What something is refused with, which never tells the password. */
async function refusal(work: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => new Error('nothing was refused'),
      (reason: unknown) => reason,
    )
  expect(error).toBeInstanceOf(UserError)
  const { message } = error as Error
  expect(message).not.toContain(secret)
  return message
}

describe('an address with a password', () => {
  it.each<[key: string, given: object]>([
    ['base_url', { base_url: address }],
    ['base_url', { base_url: `https://host/x?token=${secret}` }],
    ['path', { path: `https://me:${secret}@host/list.tsv` }],
    ['path', { path: bucket }],
    ['fetch, allow_hosts, 0', { fetch: { allow_hosts: [address] } }],
    ['fetch, contact', { fetch: { contact: address } }],
    // What has no such key tells of the password first.
    ['bass_url', { bass_url: address }],
  ])('is no part of a pipeline, which a run stores: %s', async (key, given) => {
    const stage = { name: 'web', uses: 'ingest', with: { format: 'tsv', path: 'list.tsv', ...given } }
    const message = await refusal(() => parsePipeline({ name: 'a', stages: [stage] }, 'a.yaml'))
    expect(message).toMatch(
      new RegExp(`^a\\.yaml, stages, 0, with, ${key}: an address with a .* would be stored with the run`),
    )
  })

  it('is none of a variable either', async () => {
    const stage = { name: 'web', uses: 'ingest', with: { format: 'tsv', path: `\${list}` } }
    const value = { name: 'a', vars: { list: bucket }, stages: [stage] }
    expect(await refusal(() => parsePipeline(value, 'a.yaml'))).toContain('a.yaml, vars, list')
  })

  it('is no place of a dataset, a bucket or a card', async () => {
    const { signal } = new AbortController()
    const list = join(folder, 'list.tsv')
    await writeFile(list, 'a dog\ta.jpg\n')
    expect(await refusal(() => openStorage(bucket))).toContain('no place for keys, nor has its endpoint')
    expect(await refusal(() => stats(bucket, { top: 9 }, signal))).toContain('AWS_SECRET_ACCESS_KEY')
    expect(await refusal(() => openStorage(address))).toMatch(/^Cannot open http:\/\/127\.0\.0\.1:9\/x\//)
    const check = () => checkDataset('cc3m', list, { set: [`base_url=${address}`] }, signal)
    expect(await refusal(check)).toMatch(/^--set, base_url: an address with a user or a password/)
  })

  it('is in no message, whoever has written it', () => {
    let text = ''
    vi.spyOn(process.stderr, 'write').mockImplementation((part) => {
      text += part
      return true
    })
    say(`groundmill: no answer from ${address}`)
    createProgress().finish(`  warning: no answer from ${address}`)
    expect(text).toBe(
      'groundmill: no answer from http://***@127.0.0.1:9/x/\n  warning: no answer from http://***@127.0.0.1:9/x/\n',
    )
  })

  it('comes from the command line into no file and no log', async () => {
    const pipeline = join(folder, 'a.yaml')
    await writeFile(
      pipeline,
      'name: a\nstages: [{ name: web, uses: ingest, with: { format: tsv, path: a } }]\n',
    )
    const run = join(folder, 'run')
    const ended = await runCommand('run', pipeline, '--dataset', run, '--set', `web.base_url=${address}`)
    expect(ended.code).toBe(2)
    expect(ended.err).toContain('a.yaml, stages, 0, with, base_url: an address with a user or a password')
    expect(ended.out + ended.err).not.toContain(secret)
    expect(existsSync(run)).toBe(false)
  })
})
