import { randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, readlink, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { parseHub } from '../../src/hub/hub-address.js'
import { HubUnreachable } from '../../src/hub/hub-error.js'
import { fetchFile, mendFile, openSnapshot, resolveCommit } from '../../src/hub/hub-repository.js'
import { watchFetches } from '../../src/hub/watch-fetches.js'
import { hubHome } from '../helpers/hub-home.js'
import { gitOid, sha256 } from '../helpers/hub-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let hub: Awaited<ReturnType<typeof hubHome>>
beforeAll(async () => {
  hub = await hubHome({ pageSize: 3 })
})
afterEach(async () => {
  watchFetches({})
  for (const name of ['HF_TOKEN', 'HF_HUB_OFFLINE']) delete process.env[name]
  process.env.HF_ENDPOINT = hub.url
  process.env.HF_HOME = hub.home
})

const weights = randomBytes(300_000)
const config = '{"model_type":"detr"}\n'
let count = 0
/** A new model of its own name. */
const addModel = (options?: Parameters<typeof hub.add>[2]) =>
  hub.add(
    `org/model-${count++}`,
    { 'config.json': config, 'onnx/model.onnx': weights, 'a/b/c/notes.txt': 'deep', 'd.txt': 'd' },
    options,
  )
const folderOf = (id: string, home = hub.home) => join(home, 'hub', `models--${id.replace('/', '--')}`)

/** Fetches one file of a repository. */
async function fetchOne(id: string, path: string, signal?: AbortSignal): Promise<string> {
  const snapshot = await openSnapshot(parseHub(`hf://${id}`))
  const file = snapshot.files.find((one) => one.path === path)
  if (!file) throw new Error(`there is no ${path}`)
  return fetchFile(snapshot, file, signal)
}

test('files come into the cache as huggingface_hub lays them', async () => {
  const { id, branches } = addModel()
  const commit = branches.get('main') as string
  const snapshot = await openSnapshot(parseHub(`hf://${id}`))
  expect(snapshot.files.map(({ path }) => path)).toEqual([
    'a/b/c/notes.txt',
    'config.json',
    'd.txt',
    'onnx/model.onnx',
  ])
  for (const file of snapshot.files) await fetchFile(snapshot, file)
  const folder = folderOf(id)
  expect(await readFile(join(folder, 'refs/main'), 'utf8')).toBe(commit)
  expect(await readlink(join(folder, 'snapshots', commit, 'onnx/model.onnx'))).toBe(
    `../../../blobs/${sha256(weights)}`,
  )
  expect(await readlink(join(folder, 'snapshots', commit, 'config.json'))).toBe(
    `../../blobs/${gitOid('config.json', Buffer.from(config))}`,
  )
  expect(await readFile(join(folder, 'snapshots', commit, 'onnx/model.onnx'))).toEqual(weights)
  expect((await readdir(join(folder, 'blobs'))).filter((name) => name.includes('.'))).toEqual([])
  // Nothing is asked again of a commit that is there.
  const before = hub.requests.length
  await openSnapshot(parseHub(`hf://${id}@${commit}`))
  await fetchOne(`${id}@${commit}`, 'onnx/model.onnx')
  expect(hub.requests.length).toBe(before)
})

test('an answer that breaks off is gone on with from where it ended', async () => {
  const { id } = addModel()
  hub.fail(1, new RegExp(sha256(weights)), { cutAt: 100_000 })
  const path = await fetchOne(id, 'onnx/model.onnx')
  expect(await readFile(path)).toEqual(weights)
  const [range] = hub.requests.filter((request) => request.isCdn && request.range !== undefined).slice(-1)
  expect(range?.range).toMatch(/^bytes=[1-9]\d*-$/)
})

test('what was fetched when the work was stopped stays, and is gone on with', async () => {
  const { id } = addModel()
  const stop = new AbortController()
  watchFetches({
    onProgress: ({ done }) => done >= 100_000 && stop.abort(new Error('stopped')),
    signal: stop.signal,
  })
  hub.fail(1, new RegExp(sha256(weights)), { stallsAt: 120_000 })
  await expect(fetchOne(id, 'onnx/model.onnx')).rejects.toThrow('stopped')
  const part = join(folderOf(id), 'blobs', `${sha256(weights)}.groundmill.incomplete`)
  const { size } = await lstat(part)
  expect(size).toBeGreaterThan(99_999)
  watchFetches({})
  expect(await readFile(await fetchOne(id, 'onnx/model.onnx'))).toEqual(weights)
  expect(hub.requests.at(-1)?.range).toBe(`bytes=${size}-`)
})

test('bytes that are not those of the list are thrown away', async () => {
  const { id } = addModel()
  hub.fail(1, new RegExp(sha256(weights)), { isWrong: true })
  await expect(fetchOne(id, 'onnx/model.onnx')).rejects.toThrow(/SHA-256 is .* it was thrown away/)
  hub.fail(1, /resolve-cache.*config.json/, { isWrong: true })
  await expect(fetchOne(id, 'config.json')).rejects.toThrow(/git hash is .* it was thrown away/)
  expect(await readdir(join(folderOf(id), 'blobs'))).toEqual([])
  // Of two tries the earlier one's bytes are taken for the damaged ones.
  await writeFile(join(folderOf(id), 'blobs', `${sha256(weights)}.groundmill.incomplete`), Buffer.alloc(1000))
  expect(await readFile(await fetchOne(id, 'onnx/model.onnx'))).toEqual(weights)
})

test('what may pass is tried again, after the wait that the Hub asks for', async () => {
  const { id } = addModel()
  hub.fail(1, /revision\/main/, { status: 429, retryAfter: 0 })
  hub.fail(1, /tree/, { status: 503, retryAfter: 0 })
  hub.fail(2, new RegExp(sha256(weights)), { status: 500, retryAfter: 0 })
  expect(await readFile(await fetchOne(id, 'onnx/model.onnx'))).toEqual(weights)
  hub.fail(1, /revision\/later/, { status: 429, retryAfter: 3600 })
  const failed = resolveCommit(parseHub(`hf://${id}@later`))
  await expect(failed).rejects.toThrow(HubUnreachable)
  await expect(failed).rejects.toThrow('too many requests')
})

test('a private repository is read with the token, which goes to the Hub alone and into no file', async () => {
  const { id } = addModel({ isPrivate: true })
  await expect(fetchOne(id, 'config.json')).rejects.toThrow(UserError)
  await expect(fetchOne(id, 'config.json')).rejects.toThrow('HF_TOKEN')
  process.env.HF_TOKEN = 'hf_another'
  await expect(fetchOne(id, 'config.json')).rejects.toThrow('does not take the token (HF_TOKEN)')
  await expect(fetchOne(id, 'config.json')).rejects.not.toThrow('hf_another')
  process.env.HF_TOKEN = hub.token
  const from = hub.requests.length
  await fetchOne(id, 'config.json')
  await fetchOne(id, 'onnx/model.onnx')
  const asked = hub.requests.slice(from)
  expect(asked.some(({ isCdn }) => isCdn)).toBe(true)
  for (const { isCdn, authorization } of asked)
    expect(authorization).toBe(isCdn ? undefined : `Bearer ${hub.token}`)
  for (const entry of await readdir(hub.home, { recursive: true, withFileTypes: true })) {
    expect(entry.name).not.toContain(hub.token)
    if (entry.isFile())
      expect(await readFile(join(entry.parentPath, entry.name), 'latin1')).not.toContain(hub.token)
  }
  await expect(fetchOne('org/none', 'config.json')).rejects.toThrow('may not see it')
})

test('gated, missing and misnamed things are told apart', async () => {
  const { id } = addModel({ isGated: true })
  await expect(fetchOne(id, 'config.json')).rejects.toThrow(`ask for access at ${hub.url}/${id}`)
  await expect(openSnapshot(parseHub(`hf://${id}@nope`))).rejects.toThrow('no branch, tag or commit "nope"')
  await expect(openSnapshot(parseHub('hf://org/nothing'))).rejects.toThrow('has no such model')
  await expect(openSnapshot(parseHub(`hf://datasets/${id}`))).rejects.toThrow('has no such dataset')
})

test('without a network the cache is used, and what it lacks is told', async () => {
  const { id, branches } = addModel()
  const path = await fetchOne(id, 'config.json')
  process.env.HF_HUB_OFFLINE = '1'
  const before = hub.requests.length
  expect(await fetchOne(id, 'config.json')).toBe(path)
  await expect(fetchOne(id, 'd.txt')).rejects.toThrow(/HF_HUB_OFFLINE forbids .* hf download/)
  await expect(fetchOne(addModel().id, 'd.txt')).rejects.toThrow(UserError)
  expect(hub.requests.length).toBe(before)
  delete process.env.HF_HUB_OFFLINE
  // Nobody listens there: the branch is what it was, and that is said.
  process.env.HF_ENDPOINT = hub.url.replace('127.0.0.1', '127.0.0.2')
  const notices: string[] = []
  watchFetches({ onNotice: (text) => notices.push(text) })
  expect(await resolveCommit(parseHub(`hf://${id}`))).toBe(branches.get('main'))
  expect(notices.join()).toContain('cannot be reached; what the cache has is used')
  const failed = resolveCommit(parseHub('hf://org/other'))
  await expect(failed).rejects.toThrow(HubUnreachable)
  await expect(failed).rejects.toThrow('Check the network and HF_ENDPOINT')
})

test('two that want one file fetch it once', async () => {
  const { id } = addModel()
  process.env.HF_HOME = await temporaryFolder()
  const snapshot = await openSnapshot(parseHub(`hf://${id}`))
  const file = snapshot.files.find(({ path }) => path === 'onnx/model.onnx')
  const from = hub.requests.length
  await Promise.all([1, 2, 3].map(() => fetchFile(snapshot, file as (typeof snapshot.files)[number])))
  expect(hub.requests.slice(from).filter(({ isCdn }) => isCdn)).toHaveLength(1)
})

test('a branch is the same commit in a process, and a commit by its name is not asked for', async () => {
  const repository = addModel()
  const first = await resolveCommit(parseHub(`hf://${repository.id}`))
  const second = hub.commit(repository, { 'd.txt': 'other' })
  expect(await resolveCommit(parseHub(`hf://${repository.id}`))).toBe(first)
  const snapshot = await openSnapshot(parseHub(`hf://${repository.id}@${second}`))
  const file = snapshot.files.find(({ path }) => path === 'd.txt')
  expect(await readFile(await fetchFile(snapshot, file as (typeof snapshot.files)[number]), 'utf8')).toBe(
    'other',
  )
})

test('what a cache has cut, damaged or lost is fetched again', async () => {
  const { id, branches } = addModel()
  const folder = folderOf(id)
  const blob = join(folder, 'blobs', sha256(weights))
  const pointer = join(folder, 'snapshots', branches.get('main') as string, 'onnx/model.onnx')
  const snapshot = await openSnapshot(parseHub(`hf://${id}`))
  const file = snapshot.files.find(
    ({ path }) => path === 'onnx/model.onnx',
  ) as (typeof snapshot.files)[number]
  await fetchFile(snapshot, file)
  expect(await mendFile(snapshot, file)).toBe(false)
  const damages = [
    () => truncate(blob, 1000),
    () => rm(blob),
    () => rm(pointer).then(() => writeFile(pointer, 'another file')),
    // Of the same length it is seen by its hash alone, and by who looks for it.
    () => writeFile(blob, Buffer.alloc(weights.length)),
  ]
  for (const damage of damages) {
    await damage()
    await fetchFile(snapshot, file)
    await mendFile(snapshot, file)
    expect(await readFile(pointer)).toEqual(weights)
  }
  await rm(blob)
  await mkdir(blob)
  await expect(fetchFile(snapshot, file)).rejects.toThrow(`${blob} is a folder, where a file`)
  // A list that is damaged is asked for again, and so is one that is empty.
  await writeFile(join(folder, 'trees', `${snapshot.commit}.json`), '{"format_version":1,"files":{}}')
  process.env.HF_ENDPOINT = `${hub.url}/`
  expect((await openSnapshot(parseHub(`hf://${id}@${snapshot.commit}`))).files).toHaveLength(4)
})

describe('of what answers as no Hub should', () => {
  const commit = 'a'.repeat(40)
  const entry = { type: 'file', path: 'a.txt', size: 1, oid: 'b'.repeat(40) }
  const json = (response: ServerResponse, value: unknown, headers = {}) =>
    response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value))

  /** What a server that gives these answers is asked for: the files of a repository. */
  async function filesBy(
    tree: RequestListener,
    info: RequestListener = (_, to) => json(to, { sha: commit }),
  ) {
    const server = createServer((request, to) =>
      (/\/tree\//.test(request.url ?? '') ? tree : info)(request, to),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    process.env.HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    process.env.HF_HOME = await temporaryFolder()
    try {
      return (await openSnapshot(parseHub('hf://org/odd'))).files.map(({ path }) => path)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }
  const endless: RequestListener = (_, to) => {
    const part = Buffer.alloc(1 << 20, ' ')
    const more = () => {
      if (!to.destroyed) to.write(part, () => setImmediate(more))
    }
    more()
  }
  const next = (url: string | undefined, host: string | undefined) => ({
    Link: `<http://${host}${url}>; rel="next"`,
  })

  test.each<[string, RequestListener, RequestListener?]>([
    ['JSON of another kind', (_, to) => json(to, { error: 'x' })],
    ['entries that are none', (_, to) => json(to, [entry, null])],
    ['entries without a hash', (_, to) => json(to, [{ ...entry, oid: '../../x' }])],
    ['entries without a size', (_, to) => json(to, [{ ...entry, size: '1' }])],
    ['nothing about the commit', (_, to) => json(to, [entry]), (_, to) => json(to, null)],
    ['an answer without an end', endless],
    ['pages without an end', ({ url, headers }, to) => json(to, [], next(url, headers.host))],
  ])('%s is told', async (_, tree, info) => {
    const failed = filesBy(tree, info)
    await expect(failed).rejects.toThrow(UserError)
    await expect(failed).rejects.toThrow('does not answer as a Hub does')
  })

  test('names that no folder takes are left out, and told', async () => {
    const notices: string[] = []
    watchFetches({ onNotice: (text) => notices.push(text) })
    const odd = ['../../x', '/etc/passwd', 'a\\b', 'C:/x', '', 'a//b', 'x'.repeat(300)]
    const tree = [entry, ...odd.map((path) => ({ ...entry, path }))]
    expect(await filesBy((_, to) => json(to, tree))).toEqual(['a.txt'])
    expect(notices.join()).toContain('7 files left out, whose names no folder takes: ../../x')
  })

  test('a list that breaks off is asked for again', async () => {
    let count = 0
    const files = filesBy((_, to) => {
      if (count++ > 0) return void json(to, [entry])
      to.writeHead(200, { 'Content-Length': 1000 }).write('[')
      setTimeout(() => to.destroy(), 20)
    })
    expect(await files).toEqual(['a.txt'])
  })

  test.each([
    ['http://169.254.169.254/latest', 'redirects to where no file of a Hub lies (http://169.254.169.254)'],
    ['file:///etc/passwd', 'redirects to where no file of a Hub lies (file://)'],
    ['http://me:secret@127.0.0.1/', 'redirects to where no file of a Hub lies'],
  ])('a redirect to %s is not followed', async (location, why) => {
    const failed = filesBy((_, to) => to.writeHead(302, { Location: location }).end())
    await expect(failed).rejects.toThrow(why)
    await expect(failed).rejects.not.toThrow('secret')
  })
})

test('what is refused where the Hub leads to says nothing of who may read it', async () => {
  const { id } = addModel()
  hub.fail(9, new RegExp(`GET /${sha256(weights)}`), { status: 403, retryAfter: 0 })
  process.env.HF_HOME = await temporaryFolder()
  const failed = fetchOne(id, 'onnx/model.onnx')
  await expect(failed).rejects.toThrow(HubUnreachable)
  await expect(failed).rejects.toThrow(/leads to 127\.0\.0\.1:\d+, which answers with 403/)
})
