import type * as Sdk from '@aws-sdk/client-s3'
import { credentialIn } from '../base/credentials.js'
import { UserError } from '../base/user-error.js'

/** Where an object or a set of them lies: `s3://bucket/key?endpoint=…&region=…&path_style=…`. */
export interface S3Location {
  readonly bucket: string
  /** Without a slash at either end. */
  readonly key: string
  /** As it was given, with its question mark; empty where there is none. */
  readonly query: string
}

/** The SDK and a client of it, for one store. */
export interface S3Client {
  readonly sdk: typeof Sdk
  readonly client: Sdk.S3Client
}

const knownSettings = new Set(['endpoint', 'region', 'path_style'])

/** Throws a UserError where a URL names no bucket or object, has a setting that is not known or is none, or carries a password. */
export function parseS3(url: string): S3Location {
  // Messages and records name the address, its endpoint included.
  if (credentialIn(url))
    throw new UserError(
      'An s3:// address has no place for keys, nor has its endpoint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    )
  const [, bucket, key = '', query = ''] = /^s3:\/\/([^/?#]+)(?:\/([^?#]*))?(\?[^#]*)?$/i.exec(url) ?? []
  if (bucket === undefined)
    throw new UserError(`${url} is not the address of a bucket: s3://BUCKET/PREFIX was expected.`)
  for (const setting of new URLSearchParams(query).keys()) {
    if (!knownSettings.has(setting))
      throw new UserError(
        `${url}: "${setting}" is not a setting; there are: ${[...knownSettings].join(', ')}.`,
      )
  }
  const endpoint = new URLSearchParams(query).get('endpoint')
  if (endpoint !== null && !(URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)))
    throw new UserError(`${url}: the endpoint is no address of a server, such as http://127.0.0.1:9000.`)
  // What asks for an object would ask for another one.
  if (key.split('/').some((part) => part === '.' || part === '..'))
    throw new UserError(`${url}: "." and ".." in an address name no object of a bucket.`)
  return { bucket, key: key.replace(/^\/+|\/+$/g, ''), query }
}

/** Of an object whose name is one below a location. */
export const locationBelow = (root: S3Location, name: string): S3Location => ({
  ...root,
  key: [root.key, name.replace(/^\.?\/+/, '')].filter((part) => part !== '' && part !== '.').join('/'),
})

/** The address of a location. */
export const s3Url = ({ bucket, key, query }: S3Location) => `s3://${bucket}/${key}${query}`

const clients = new Map<string, Promise<S3Client>>()

/**
 * The client for a location's store, made once. Settings come from the address, else from the environment as
 * the SDK reads it (AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, credentials and profiles). A store at
 * an endpoint of its own (MinIO, R2, GCS) is addressed by paths, and sent no checksums beyond those that
 * every store knows.
 *
 * @throws UserError where the SDK is not installed
 */
export function s3Client({ query }: S3Location): Promise<S3Client> {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const settings = new URLSearchParams(query)
  const endpoint = settings.get('endpoint') ?? AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL
  const region = settings.get('region') ?? AWS_REGION ?? AWS_DEFAULT_REGION ?? (endpoint && 'us-east-1')
  const forcePathStyle = (settings.get('path_style') ?? String(endpoint !== undefined)) === 'true'
  const key = JSON.stringify([endpoint, region, forcePathStyle])
  const cached = clients.get(key)
  if (cached) return cached
  const client = makeClient({
    ...(region && { region }),
    ...(endpoint && {
      endpoint,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
    forcePathStyle,
    maxAttempts: 5,
  })
  clients.set(key, client)
  client.catch(() => clients.delete(key))
  return client
}

async function makeClient(config: Sdk.S3ClientConfig): Promise<S3Client> {
  // It would say on standard error that Node 20 is old.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const sdk = await import('@aws-sdk/client-s3').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new UserError(
      's3:// addresses need the AWS SDK, which is not installed: npm install @aws-sdk/client-s3',
    )
  })
  return { sdk, client: new sdk.S3Client(config) }
}

type ServiceError = Error & {
  readonly Code?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
}

/** The HTTP status of a store's refusal. */
export const statusOf = (error: unknown) => (error as ServiceError).$metadata?.httpStatusCode

/** How often a request was sent before it was refused. */
export const attemptsOf = (error: unknown) => (error as ServiceError).$metadata?.attempts ?? 1

const isOfNetwork = /^(ECONN|ENOTFOUND$|EAI_|EHOST|ENET|EPIPE$|ETIMEDOUT$)/

/** What a store calls its refusal, where it says anything. */
const said = (name: string) => (/^(Unknown(Error)?|Error|\d+)?$/.test(name) ? '' : ` (${name})`)

/** A store's refusal in words that say what to mend; what may pass as it is. */
export function explainS3(error: unknown, url: string): Error {
  const { name, message } = error as ServiceError
  const status = statusOf(error)
  if (name === 'CredentialsProviderError')
    return new UserError(
      `No credentials for ${url}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.`,
    )
  if (message === 'Region is missing')
    return new UserError(`No region for ${url}: set AWS_REGION, or add ?region=… to the address.`)
  if (name === 'NoSuchBucket')
    return new UserError(`${url}: there is no such bucket: make it, or name another.`)
  if (status === 301 || name === 'PermanentRedirect')
    return new UserError(
      `${url}: the bucket is in another region: set AWS_REGION, or add ?region=… to the address.`,
    )
  if (status === 401 || status === 403)
    return new UserError(`The store refuses access to ${url} (${name}): check the keys and what they allow.`)
  const { code } = error as NodeJS.ErrnoException
  if (
    status === undefined &&
    (isOfNetwork.test(code ?? '') || /TimeoutError|socket hang up/.test(name + message))
  )
    return new Error(
      `${url}: the store cannot be reached (${code ?? name}). Check the endpoint and the network, and run the same command again.`,
      { cause: error },
    )
  if (status !== undefined && (status >= 500 || status === 429))
    return new Error(
      `${url}: the store does not do it now: it answers with ${status}${said(name)}. Run the same command again later.`,
      { cause: error },
    )
  if (/Deserialization error/.test(message))
    return new UserError(`${url}: what answers is no S3 store: check the endpoint.`, { cause: error })
  return new Error(
    `${url}: ${/^Unknown/.test(name) && status !== undefined ? `the store answers with ${status}` : message || name}`,
    {
      cause: error,
    },
  )
}
