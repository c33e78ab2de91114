import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { type ServedFolder, serveFolder } from '../../src/world/serve-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let served: ServedFolder
let root: string
beforeAll(async () => {
  const outside = await temporaryFolder()
  root = join(outside, 'web')
  await mkdir(join(root, 'images'), { recursive: true })
  await writeFile(join(root, 'images', 'ä b.jpg'), 'picture')
  await writeFile(join(root, 'page.html'), '<p>page')
  await writeFile(join(root, 'large.txt'), 'x'.repeat(20_000_000))
  await writeFile(join(outside, 'secret.txt'), 'secret')
  await writeFile(join(outside, 'web-secret.txt'), 'secret')
  await symlink(join(outside, 'secret.txt'), join(root, 'link.txt'))
  served = await serveFolder(root)
})
afterAll(() => served.close())

/** A request with the path as it is: `fetch` would tidy it. */
function ask(path: string, method = 'GET') {
  return new Promise<{ status?: number; type?: string; length?: string; body: string }>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: served.port, path, method }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      response.on('end', () => {
        const { 'content-type': type, 'content-length': length } = response.headers
        resolve({ status: response.statusCode, type, length, body })
      })
    })
    sent.on('error', reject).end()
  })
}

test('files arrive with their type and length', async () => {
  expect(await ask('/images/%C3%A4%20b.jpg')).toEqual({
    status: 200,
    type: 'image/jpeg',
    length: '7',
    body: 'picture',
  })
  expect(await ask('/page.html?from=mail')).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' })
  expect(await ask('/page.html', 'HEAD')).toMatchObject({ status: 200, length: '7', body: '' })
})

test('what is not there is 404, what is not asked by GET or HEAD is 405', async () => {
  for (const path of ['/', '/images', '/images/', '/none.jpg', '/%', '/%00', '/page.html/x']) {
    expect((await ask(path)).status, path).toBe(404)
  }
  expect((await ask('/page.html', 'POST')).status).toBe(405)
  expect((await ask('/page.html', 'DELETE')).status).toBe(405)
})

test.each([
  '/../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/images/../../secret.txt',
  '/../web-secret.txt',
  '/link.txt',
  'http://x/../secret.txt',
])('%s does not leave the folder', async (path) => {
  const { status, body } = await ask(path)
  expect(status).toBe(404)
  expect(body).not.toContain('secret')
})

describe('a server', () => {
  test('finishes the answer under way before it closes', async () => {
    const other = await serveFolder(root)
    const response = await fetch(`${other.url}large.txt`)
    const closed = other.close()
    expect((await response.text()).length).toBe(20_000_000)
    await closed
    await expect(fetch(`${other.url}page.html`)).rejects.toThrow()
  })

  test('says which folder or port it cannot have', async () => {
    await expect(serveFolder(join(root, 'none'))).rejects.toThrow(/none: no such folder/)
    await expect(serveFolder(root, { port: served.port })).rejects.toThrow(UserError)
    await expect(serveFolder(root, { port: served.port })).rejects.toThrow(String(served.port))
  })
})
