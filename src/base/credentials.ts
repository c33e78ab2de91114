import { UserError } from './user-error.js'

/** Names of query parameters that carry what only their owner may know. */
const secretName =
  /^(x-(amz|goog)-(signature|credential|security-token)|awsaccesskeyid|googleaccessid|sig(nature)?|(access|refresh|id|auth|api|security|session)?[_-]?token|((aws|api|access|secret|account|private|subscription)[_-]?)*key([_-]?id)?|(client[_-]?)?secret|passw(or)?d|pwd|auth(orization)?|credentials?)$/i

const address = /\b[a-z][a-z\d+.-]*:\/\/[^\s"'<>]+/gi

/** Where a text names an address with a user, a password or a secret parameter: what is wrong with it. */
export function credentialIn(text: string): string | undefined {
  for (const [url] of text.matchAll(address)) {
    const [, authority = '', rest = ''] = /^[^:]+:\/\/([^/?#]*)(.*)$/s.exec(url) ?? []
    if (authority.includes('@')) return 'an address with a user or a password'
    // A password with a slash in it ends what looks like the host.
    if (/^[^@/?#]*:[^\d/?#]/.test(authority)) return 'an address with a user or a password'
    const query = /\?([^#]*)/.exec(rest)?.[1] ?? ''
    for (const [name, value] of new URLSearchParams(query)) {
      if (secretName.test(name)) return `an address with a secret (${name})`
      const inner = credentialIn(value)
      if (inner) return inner
    }
  }
  return undefined
}

/**
 * Refuses what holds a password or a key in an address: what goes through a queue, or is stored with a run, is
 * read by others.
 *
 * @param what words for it, such as "the run"; of values inside the key is added
 * @param why what is wrong with it and what to do instead, behind "an address with a password"
 * @throws UserError that says where, and not the secret
 */
export function refuseCredentials(value: unknown, what: string, why: string): void {
  if (typeof value === 'string') {
    const found = credentialIn(value)
    if (found) throw new UserError(`${what}: ${found} ${why}.`)
  } else if (value && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) refuseCredentials(inner, `${what}, ${key}`, why)
  }
}

const credentialed =
  /\b([a-z][a-z\d+.-]*:\/\/)(?:[^\s"'<>/?#]*@|[^\s"'<>@]*:[^\s"'<>]*@)?([^\s"'<>?]*)(?:\?[^\s"'<>]*)?/gi

/** A text whose addresses have neither user, password nor query any more. */
export const hideCredentials = (text: string): string => text.replace(credentialed, '$1$2')
