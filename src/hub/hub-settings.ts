import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { credentialIn } from '../base/credentials.js'
import { UserError } from '../base/user-error.js'

/** Where the Hub is, who asks, and where what comes from it is kept. */
export interface HubSettings {
  /** Its address, without a slash at the end. */
  readonly endpoint: string
  /** The cache that Hugging Face's tools share. */
  readonly cache: string
  readonly token: string | undefined
  /** Where the token is from, for messages. */
  readonly tokenFrom: string
  /** Whether nothing is asked of the Hub. */
  readonly isOffline: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const isTrue = (text: string | undefined) => /^(1|on|yes|true)$/i.test(text ?? '')

/**
 * Reads the variables that Hugging Face's own tools read: HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HF_TOKEN,
 * HF_TOKEN_PATH, HF_HUB_DISABLE_IMPLICIT_TOKEN, HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE (huggingface_hub, constants.py).
 *
 * @throws UserError where HF_ENDPOINT is no address of a server, or what is there for a token is none
 */
export function hubSettings(env: Environment = process.env): HubSettings {
  const home = expanded(
    env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'),
    env,
  )
  const cache = expanded(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, 'hub'), env)
  const tokenPath = expanded(env.HF_TOKEN_PATH || join(home, 'token'), env)
  const given = clean(env.HF_TOKEN) ?? clean(env.HUGGING_FACE_HUB_TOKEN)
  const isUsed = !isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)
  const token = isUsed ? (given ?? readToken(tokenPath)) : undefined
  const tokenFrom = given === undefined ? tokenPath : 'HF_TOKEN'
  // What a header does not take; the token itself is in no message.
  if (token !== undefined && !/^[\x20-\x7e]{1,4096}$/.test(token))
    throw new UserError(
      `What ${tokenFrom} holds is no token of the Hub: it has other signs than letters, digits and "_", or is too long.`,
    )
  return {
    endpoint: endpointOf(env.HF_ENDPOINT || 'https://huggingface.co'),
    cache,
    token,
    tokenFrom,
    isOffline: isTrue(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
  }
}

function endpointOf(text: string): string {
  const address = text.replace(/\/+$/, '')
  if (credentialIn(address) !== undefined)
    throw new UserError('HF_ENDPOINT holds a password or a token: put the token into HF_TOKEN.')
  const isServer = URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)
  if (isServer) return address
  throw new UserError(
    `HF_ENDPOINT is ${JSON.stringify(text.slice(0, 100))}, which is no address of a server, such as https://huggingface.co.`,
  )
}

/** With `~` and `$NAME` as Python's expanduser and expandvars have them. */
const expanded = (path: string, env: Environment) =>
  path
    .replace(/^~(?=[/\\]|$)/, homedir())
    .replace(
      /\$(?:(\w+)|\{(\w+)\})/g,
      (whole, name?: string, braced?: string) => env[name ?? braced ?? ''] ?? whole,
    )

/** A token without the line end that a file of it has. */
function clean(text: string | undefined): string | undefined {
  const token = text?.replace(/[\r\n]/g, '').trim()
  return token ? token : undefined
}

function readToken(path: string): string | undefined {
  try {
    return clean(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
