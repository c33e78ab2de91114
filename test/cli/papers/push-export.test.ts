import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pushAddress } from '../../../src/cli/papers/push-address.js'
import { pushExport } from '../../../src/cli/papers/push-export.js'
import type { Pushed } from '../../../src/hub/push-folder.js'
import { filesOf, hubCommits } from '../../helpers/hub-commits.js'
import { hubServer, sha256, startHubServer } from '../../helpers/hub-server.js'
import { pushedHashes, smallExports } from '../../helpers/small-exports.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const { source, smaller, exported } = await smallExports(folder)
// Every shard of the export is sent in several parts.
const { route, store } = hubCommits({ partBytes: 3000 })
const hub = await hubServer({ more: route })
const lossyWrites = hubCommits()

beforeEach(() => {
  vi.stubEnv('HF_ENDPOINT', hub.url)
  vi.stubEnv('HF_HOME', join(folder, 'home'))
  vi.stubEnv('HF_TOKEN', hub.token)
})
afterEach(() => {
  vi.unstubAllEnvs()
  store.onStored = undefined
  store.onCommit = undefined
})

const push = (
  out: string,
  to: string,
  more: { split?: string; isPrivate?: boolean; signal?: AbortSignal } = {},
): Promise<Partial<Pushed>> =>
  pushExport(out, pushAddress(`hf://datasets/${to}`), {
    ...{
      format: 'hf',
      split: 'train',
      message: 'a push',
      signal: new AbortController().signal,
      onProgress: () => {},
    },
    ...more,
  })

/** What the Hub has of a repository, without the file that it makes itself. */
const there = (id: string, branch?: string) =>
  Object.fromEntries(
    [...filesOf(hub, id, branch)]
      .filter(([name]) => name !== '.gitattributes')
      .map(([name, bytes]) => [name, sha256(bytes)]),
  )

describe('a push', () => {
  it('makes a repository with what the export has, and none of what is of this machine', async () => {
    const out = await exported(source)
    const pushed = await push(out, 'org/dogs', { isPrivate: true })
    expect(pushed).toMatchObject({ isNew: true, changed: 5, same: 0, removed: 0 })
    expect(there('org/dogs')).toEqual(await pushedHashes(out))
    const repository = hub.repositories.get('datasets/org/dogs')
    expect(repository?.isPrivate).toBe(true)
    expect(repository?.branches.get('main')).toBe(pushed.commit)
    expect(repository?.commits.size).toBe(2)
    for (const [, bytes] of filesOf(hub, 'org/dogs')) expect(bytes.includes(folder)).toBe(false)
  })

  it('of the same again sends nothing and makes no commit', async () => {
    const out = await exported(source)
    const first = await push(out, 'org/twice')
    const before = store.sent
    expect(await push(out, 'org/twice')).toEqual({ ...first, isNew: false, changed: 0, same: 5 })
    expect(store.sent).toBe(before)
    expect(hub.repositories.get('datasets/org/twice')?.commits.size).toBe(2)
  })

  it('takes shards away that are no longer there, and nothing of others', async () => {
    const repository = hub.add(
      'org/shrinks',
      { 'notes.txt': 'mine', 'data/old.csv': 'mine' },
      { type: 'dataset' },
    )
    await push(await exported(source), 'org/shrinks')
    const out = await exported(smaller)
    expect(await push(out, 'org/shrinks')).toMatchObject({ isNew: false, removed: 3 })
    expect([...filesOf(hub, 'org/shrinks').keys()].sort()).toEqual(
      [...Object.keys(await pushedHashes(out)), 'data/old.csv', 'notes.txt'].sort(),
    )
    expect(repository.commits.size).toBe(3)
  })

  it('of another split leaves the first, and the papers have both', async () => {
    const [train, val] = [await exported(source), await exported(smaller, { split: 'val' })]
    await push(train, 'org/both')
    await push(val, 'org/both', { split: 'val' })
    const files = filesOf(hub, 'org/both')
    const shards = [...files.keys()].filter((name) => name.endsWith('.parquet'))
    expect(shards).toHaveLength(5)
    const readme = files.get('README.md')?.toString() ?? ''
    const sizes = [...files].filter(([name]) => name.endsWith('.parquet')).map(([, bytes]) => bytes.length)
    expect(readme).toContain('path: data/train-*')
    expect(readme).toContain('path: data/val-*')
    expect(readme).toContain('num_examples: 9')
    expect(readme).toContain(`dataset_size: ${sizes.reduce((sum, size) => sum + size, 0)}`)
    const { distribution } = JSON.parse(files.get('croissant.json')?.toString() ?? '')
    for (const name of shards)
      expect(distribution.find((one: object) => '@id' in one && one['@id'] === name)).toMatchObject({
        sha256: sha256(files.get(name) as Buffer),
      })
    // The same split again takes its own place alone.
    expect(await push(val, 'org/both', { split: 'val' })).toMatchObject({ changed: 0, removed: 0 })
  })

  it('that was stopped leaves the branch as it was, and goes on with what had not come', async () => {
    const out = await exported(source)
    hub.blobs.clear()
    const alone = store.sent
    await push(out, 'org/whole')
    const all = store.sent - alone
    hub.blobs.clear()
    hub.repositories.delete('datasets/org/whole')
    hub.add('org/stopped', { 'notes.txt': 'mine' }, { type: 'dataset' })
    const before = there('org/stopped')
    const stop = new AbortController()
    store.onStored = () => stop.abort(new Error('stopped'))
    await expect(push(out, 'org/stopped', { signal: stop.signal })).rejects.toThrow('stopped')
    expect(there('org/stopped')).toEqual(before)
    store.onStored = undefined
    expect(hub.blobs.size).toBeGreaterThan(0)
    const again = store.sent
    await push(out, 'org/stopped')
    expect(store.sent - again).toBeLessThan(all)
    expect(there('org/stopped')).toEqual({ ...before, ...(await pushedHashes(out)) })
  })

  it('goes to a branch, which is made of the main one', async () => {
    hub.add('org/branched', { 'notes.txt': 'mine' }, { type: 'dataset' })
    const out = await exported(smaller)
    const { page } = await push(out, 'org/branched@v2')
    expect(page).toBe(`${hub.url}/datasets/org/branched/tree/v2`)
    expect(Object.keys(there('org/branched'))).toEqual(['notes.txt'])
    expect(there('org/branched', 'v2')).toMatchObject(await pushedHashes(out))
  })
})

describe('a push is refused', () => {
  it('where another has committed meanwhile, and what that one left stays', async () => {
    const repository = hub.add('org/raced', { 'notes.txt': 'mine' }, { type: 'dataset' })
    store.onCommit = () => {
      store.onCommit = undefined
      hub.commit(repository, { 'notes.txt': 'theirs' })
    }
    const out = await exported(smaller)
    await expect(push(out, 'org/raced')).rejects.toThrow('somebody else has changed it meanwhile')
    expect(filesOf(hub, 'org/raced').get('notes.txt')?.toString()).toBe('theirs')
    expect(await push(out, 'org/raced')).toMatchObject({ changed: 4 })
  })

  it('without a token, or with one that may not write, which is not repeated', async () => {
    const out = await exported(smaller)
    hub.add('org/theirs', { 'notes.txt': 'theirs' }, { type: 'dataset' })
    store.readOnly.add('org/theirs')
    const refused = await push(out, 'org/theirs').catch((error: Error) => error)
    expect(String(refused)).toContain(
      'does not let the token (HF_TOKEN) write there: You have no write access',
    )
    expect(String(refused)).not.toContain(hub.token)
    vi.stubEnv('HF_TOKEN', '')
    await expect(push(out, 'org/theirs')).rejects.toThrow('a token that may write is needed')
    expect(() => pushAddress('hf://org/model')).toThrow('is no place for an export')
    expect(() => pushAddress('hf://datasets/org/set/data')).toThrow('is no place for an export')
  })

  it('where the answer to its commit is lost or none: nothing is said to be there, or not to be', async () => {
    const odd: { is?: 'cut' | 'none' } = {}
    const lossy = await hubServer({
      more: async (request, response, server) => {
        const isCommitted = request.url?.includes('/commit/')
        if (isCommitted && odd.is === 'none') return !!response.writeHead(200).end('[]')
        if (isCommitted && odd.is === 'cut') {
          response.writeHead(200, { 'Content-Length': 99, 'Content-Type': 'application/json' }).write('{')
          setTimeout(() => response.destroy(), 20)
          return true
        }
        return lossyWrites.route(request, response, server)
      },
    })
    vi.stubEnv('HF_ENDPOINT', lossy.url)
    vi.stubEnv('HF_TOKEN', lossy.token)
    const out = await exported(smaller)
    odd.is = 'none'
    await expect(push(out, 'org/lossy')).rejects.toThrow('does not answer as a Hub does (it names no commit)')
    odd.is = 'cut'
    await expect(push(out, 'org/lossy')).rejects.toThrow('Whether the commit is made is not known')
    delete odd.is
    expect(await push(out, 'org/lossy')).toMatchObject({ changed: 4 })
    expect(() => pushAddress(`hf://datasets/org/lossy@${'a'.repeat(40)}`)).toThrow('names a commit')
  })

  it('where no Hub answers, and what to do is said', async () => {
    const out = await exported(smaller)
    const gone = await startHubServer()
    gone.close()
    vi.stubEnv('HF_ENDPOINT', gone.url)
    await expect(push(out, 'org/away')).rejects.toThrow(
      'cannot be reached (ECONNREFUSED). The branch is as it was',
    )
  })
})
