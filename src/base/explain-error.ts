import { asDiskFull } from './disk-full.js'
import { UserError } from './user-error.js'

type SystemError = NodeJS.ErrnoException & { readonly path: string }

/** What the user can do about a system's refusal, by its code. */
const advice: Readonly<Record<string, (path: string) => string>> = {
  EACCES: (path) => `No permission for ${path}: change its permissions, or name another place.`,
  EPERM: (path) => `No permission for ${path}: change its permissions, or name another place.`,
  EROFS: (path) => `${path} is on a disk that cannot be written to: name another place.`,
  ENOTDIR: (path) => `${path}: a part of this path is a file, where a folder is needed: name another place.`,
  EEXIST: (path) => `${path} is there already and is not a folder: name another place.`,
  EISDIR: (path) => `${path} is a folder, where a file is needed.`,
  ENOENT: (path) => `There is no ${path}.`,
}

const tooManyFiles =
  'Too many files are open at once: raise the limit (ulimit -n), or lower fetch.concurrency.'

/** The file that is written aside first, by the name under which it is. */
const meant = (path: string) => path.replace(/(?:\.[\w-]+-\d+-[\da-z]+-[\da-f]{8}|\.swap)\.aside$/, '')

/** An error that the user can mend as a UserError that says how; any other as it is. */
export function explainError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  const { code = '', path } = error as SystemError
  // The work has failed, and the user's words were right.
  const full = asDiskFull(error)
  if (full) return full
  if (code === 'EMFILE') return new Error(tooManyFiles, { cause: error })
  if (path === undefined || !Object.hasOwn(advice, code)) return error
  return new UserError(advice[code]!(meant(path)), { cause: error })
}

/** What was to be listened at, and the option that names another. */
export interface ListenPlace {
  readonly host: string
  readonly port: number
  /** Such as `--port`. */
  readonly option: string
  /** The option of the host, where it is another one. */
  readonly hostOption?: string
}

/** Why a server cannot listen, as a UserError that says which option to change. */
export function listenError(
  error: Error,
  { host, port, option, hostOption = option }: ListenPlace,
): UserError {
  const { code } = error as NodeJS.ErrnoException
  const words = (): string => {
    if (code === 'EADDRINUSE')
      return `port ${port} of ${host} is taken: name another with ${option}, or stop the program that listens there`
    if (code === 'EACCES' || code === 'EPERM')
      return `port ${port} is not for programs of this user: name one of 1024 or more with ${option}`
    if (code === 'EADDRNOTAVAIL' || code === 'EINVAL')
      return `${host} is no address of this machine: name one with ${hostOption}, such as 127.0.0.1`
    if (code === 'ENOTFOUND' || code?.startsWith('EAI_'))
      return `there is no host ${host}: name an address of this machine with ${hostOption}, such as 127.0.0.1`
    return `${host}:${port} cannot be listened at (${code ?? 'for a reason unknown'}): name another place with ${option}`
  }
  return new UserError(`${words()}.`, { cause: error })
}
