import { credentialIn } from '../base/credentials.js'
import { shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'

/** A repository of the Hub, or a place in it, as an address names it. */
export interface HubAddress {
  readonly type: 'model' | 'dataset'
  /** `ORG/NAME`. */
  readonly id: string
  /** A branch, a tag or a commit; `main` where it is not given. */
  readonly revision?: string
  /** A path or a pattern in it; '' for all of it. */
  readonly path: string
}

export const isHub = (text: string): boolean => /^hf:\/\//i.test(text)

const forms = 'hf://ORG/MODEL[@REVISION] or hf://datasets/ORG/NAME[@REVISION][/PATH]'

/** As the Hub has names: letters, digits, `-`, `_` and `.` that stand alone, at most 96. */
const namePart = /^(?!.*(?:--|\.\.))[A-Za-z\d_](?:[\w.-]{0,94}[A-Za-z\d_])?$/
/** What else the Hub has, and what stands before a name: no user and no organisation is called so. */
const unread = ['buckets', 'spaces', 'kernels']
const sorts = ['models', 'datasets', ...unread]
/** Refs that have slashes of their own. */
const specialRef = /^refs\/(?:pr\/\d+|convert\/[\w.-]+)(?=\/|$)/
/** A branch with a slash in its name has `%2F` in an address. */
const revisionName = /^(?!.*(?:\.\.|\/\/|@\{))[\w.-][\w./+-]{0,200}$/

/**
 * Reads an address of the Hub, as Hugging Face's own tools write it: `hf://[models/]ORG/MODEL[@REVISION]` and
 * `hf://datasets/ORG/NAME[@REVISION][/PATH]`.
 *
 * @throws UserError where it is none, and where it carries a password or a token, which is not repeated then
 */
export function parseHub(text: string): HubAddress {
  const rest = text.replace(/^hf:\/\//i, '')
  if (/^[^/]*@/.test(rest) || credentialIn(text) !== undefined)
    throw new UserError(
      'An address of the Hub (hf://) carries no user, password or token: put the token into HF_TOKEN.',
    )
  const refuse = (why: string) => new UserError(`${shownValue(text)}: ${why}; it is ${forms}.`)
  const [first = ''] = rest.split('/', 1)
  if (unread.includes(first))
    throw new UserError(
      `${shownValue(text)}: ${first} of the Hub are not read, only models and datasets${first === 'buckets' ? '. A bucket is read as s3://BUCKET/PATH?endpoint=https://s3.hf.co/ORG&region=us-east-1' : ''}.`,
    )
  const type = first === 'datasets' ? 'dataset' : 'model'
  const [org = '', named = '', ...others] = (
    ['models', 'datasets'].includes(first) ? rest.slice(first.length + 1) : rest
  ).split('/')
  const at = named.indexOf('@')
  const name = at === -1 ? named : named.slice(0, at)
  if (sorts.includes(org) || !namePart.test(org) || !namePart.test(name))
    throw refuse('it does not name a repository of the Hub')
  const behind = [...(at === -1 ? [] : [named.slice(at + 1)]), ...others].join('/')
  const id = `${org}/${name}`
  if (at === -1) return { type, id, path: pathIn(behind, refuse) }
  const special = specialRef.exec(behind)?.[0]
  const written = special ?? behind.split('/', 1)[0] ?? ''
  const revision = decoded(written)
  if (revision === undefined || !revisionName.test(revision))
    throw refuse('what stands behind @ is no revision')
  return { type, id, revision, path: pathIn(behind.slice(written.length).replace(/^\//, ''), refuse) }
}

function pathIn(path: string, refuse: (why: string) => UserError): string {
  const clean = path.replace(/\/$/, '')
  if (clean !== '' && !isInside(clean)) throw refuse('its path is none within the repository')
  return clean
}

/** Whether a path of a repository stays in the folder that it is laid into. */
export const isInside = (path: string): boolean =>
  path.length <= 4096 &&
  !/[\0\\]/.test(path) &&
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/^[a-z]:/i.test(part))

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The address as it is written. */
export function hubText({ type, id, revision, path }: HubAddress): string {
  const at =
    revision === undefined ? '' : `@${specialRef.test(revision) ? revision : encodeURIComponent(revision)}`
  return `hf://${type === 'dataset' ? 'datasets/' : ''}${id}${at}${path === '' ? '' : `/${path}`}`
}

/** What a repository is called without who has it. */
export const hubName = ({ id }: Pick<HubAddress, 'id'>): string => id.slice(id.indexOf('/') + 1)

/** Whether a revision is a commit by its whole name, which never changes. */
export const isCommit = (revision: string | undefined): revision is string =>
  revision !== undefined && /^[\da-f]{40}$/.test(revision)
