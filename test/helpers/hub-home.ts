import { afterAll } from 'vitest'
import { type HubServer, hubServer } from './hub-server.js'
import { temporaryFolder } from './temporary-folder.js'

const names = [
  'HF_ENDPOINT',
  'HF_HOME',
  'HF_HUB_CACHE',
  'HF_TOKEN',
  'HF_TOKEN_PATH',
  'HF_HUB_OFFLINE',
  'TRANSFORMERS_OFFLINE',
] as const

/** A Hub on loopback with a cache of its own, which the variables of this process name until the file is done. */
export async function hubHome(
  options?: Parameters<typeof hubServer>[0],
): Promise<HubServer & { readonly home: string }> {
  const before = names.map((name) => [name, process.env[name]] as const)
  afterAll(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  for (const name of names) delete process.env[name]
  const server = await hubServer(options)
  const home = await temporaryFolder()
  process.env.HF_ENDPOINT = server.url
  process.env.HF_HOME = home
  return { ...server, home }
}
