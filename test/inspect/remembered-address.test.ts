import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openInspected } from '../../src/cli/inspect.js'
import { rememberedAddress } from '../../src/inspect/remembered-address.js'
import { serveInspect } from '../../src/inspect/serve-inspect.js'
import { makeInspectDataset } from '../helpers/inspect-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

it('token and port are the same the next time, in a file that is the own user’s alone', async () => {
  const [state, dataset] = [await temporaryFolder(), join(await temporaryFolder(), 'web')]
  await mkdir(dataset)
  const first = await rememberedAddress(dataset, false, state)
  expect(first).toMatchObject({ port: null, note: null })
  expect(first.token).toMatch(/^[\w-]{32}$/)
  await first.keep(4711)
  const folder = join(state, 'groundmill', 'inspect')
  const [name = ''] = await readdir(folder)
  const path = join(folder, name)
  expect([(await stat(path)).mode & 0o777, (await stat(folder)).mode & 0o777]).toEqual([0o600, 0o700])
  // However the dataset is called.
  for (const same of [dataset, `${dataset}/`, join(dataset, '..', 'web')])
    expect(await rememberedAddress(same, false, state)).toMatchObject({ token: first.token, port: 4711 })
  expect((await rememberedAddress(`${dataset}2`, false, state)).token).not.toBe(first.token)

  const renewed = await rememberedAddress(dataset, true, state)
  expect(renewed.token).not.toBe(first.token)
  expect(renewed.port).toBe(4711)
  await renewed.keep(4711)
  expect((await rememberedAddress(dataset, false, state)).token).toBe(renewed.token)

  await chmod(path, 0o644)
  const opened = await rememberedAddress(dataset, false, state)
  expect(opened.token).not.toBe(renewed.token)
  expect(opened.note).toContain('could be read by others')
  await opened.keep(4711)
  expect((await stat(path)).mode & 0o777).toBe(0o600)

  for (const broken of ['', '{', '{"token":"short","port":1}', `{"token":"${first.token}","port":0}`]) {
    await writeFile(path, broken)
    expect(await rememberedAddress(dataset, false, state)).toMatchObject({ port: null, note: null })
  }
  const elsewhere = join(state, 'elsewhere.json')
  await writeFile(elsewhere, JSON.stringify({ token: first.token, port: 1 }), { mode: 0o600 })
  const linked = join(await temporaryFolder(), 'groundmill', 'inspect')
  await mkdir(linked, { recursive: true })
  await symlink(elsewhere, join(linked, name))
  const other = await rememberedAddress(dataset, false, join(linked, '..', '..'))
  expect(other.token).not.toBe(first.token)
  await other.keep(5)
  expect(await readFile(elsewhere, 'utf8')).toContain(first.token)
})

it('a port that is taken gives way to a free one where any will do, and else is an error', async () => {
  const url = join(await temporaryFolder(), 'little')
  await makeInspectDataset(url, { pictures: 1, rounds: 1 })
  const page = await temporaryFolder()
  await writeFile(join(page, 'index.html'), '<!doctype html>')
  const { dataset } = await openInspected(url)
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  afterAll(() => other.close())
  const { port } = other.address() as AddressInfo
  const token = 'a'.repeat(32)
  const server = await serveInspect(dataset, { page, port, token, anyPort: true })
  expect(server.port).not.toBe(port)
  expect(server.url).toBe(`http://127.0.0.1:${server.port}/?token=${token}`)
  await server.close()
  await expect(serveInspect(dataset, { page, port })).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`)
  const again = await serveInspect(dataset, { page, port: server.port, anyPort: true })
  expect(again.port).toBe(server.port)
  await again.close()
})
