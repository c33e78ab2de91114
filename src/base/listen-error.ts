import { UserError } from './user-error.js'

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
