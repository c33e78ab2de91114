import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hubSettings } from '../../src/hub/hub-settings.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

test('the variables of Hugging Face are read as its own tools read them', () => {
  expect(hubSettings({ HF_TOKEN_PATH: '/nowhere' })).toEqual({
    endpoint: 'https://huggingface.co',
    cache: join(homedir(), '.cache', 'huggingface', 'hub'),
    token: undefined,
    tokenFrom: '/nowhere',
    isOffline: false,
  })
  expect(hubSettings({ XDG_CACHE_HOME: '/x' }).cache).toBe('/x/huggingface/hub')
  expect(hubSettings({ XDG_CACHE_HOME: '/x', HF_HOME: '~/hf' }).cache).toBe(join(homedir(), 'hf', 'hub'))
  expect(hubSettings({ HF_HOME: '/hf', HF_HUB_CACHE: '$SCRATCH/c', SCRATCH: '/s' }).cache).toBe('/s/c')
  expect(hubSettings({ HF_ENDPOINT: 'http://127.0.0.1:80/' }).endpoint).toBe('http://127.0.0.1:80')
  for (const isOffline of [{ HF_HUB_OFFLINE: '1' }, { TRANSFORMERS_OFFLINE: 'true' }])
    expect(hubSettings(isOffline).isOffline).toBe(true)
})

test('a token is that of HF_TOKEN, else of the file where hf auth login leaves it', async () => {
  const home = await temporaryFolder()
  await writeFile(join(home, 'token'), 'hf_of_file\n')
  expect(hubSettings({ HF_HOME: home })).toMatchObject({
    token: 'hf_of_file',
    tokenFrom: join(home, 'token'),
  })
  expect(hubSettings({ HF_HOME: home, HF_TOKEN: 'hf_given' })).toMatchObject({
    token: 'hf_given',
    tokenFrom: 'HF_TOKEN',
  })
  expect(hubSettings({ HF_HOME: home, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }).token).toBeUndefined()
  for (const token of ['hf_ü\u{1f600}', 'hf_\u0001', 'x'.repeat(5000)])
    expect(() => hubSettings({ HF_HOME: home, HF_TOKEN: token })).toThrow('What HF_TOKEN holds is no token')
})

test('an endpoint that is no server, or holds a password, is refused', () => {
  expect(() => hubSettings({ HF_ENDPOINT: 'huggingface.co' })).toThrow('no address of a server')
  expect(() => hubSettings({ HF_ENDPOINT: 'https://me:secret@host' })).toThrow('holds a password')
  expect(() => hubSettings({ HF_ENDPOINT: 'https://me:secret@host' })).not.toThrow('secret')
})
