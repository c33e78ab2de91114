/** What stands in the place of a user name and a password. */
const hidden = '***'

/** Behind the scheme, to the last `@` before the path, as a URL has it; within a text it ends at a space. */
const ofAddress = /^(\s*[a-z][a-z0-9+.-]*:[/\\]*|\s*[/\\]{2,})[^/\\?#]*@/i
const inText = /(:[/\\]{2})[^\s/\\?#]*@/g

/**
 * An address without the user name and the password that it may have: whoever wrote it into a page did not
 * own them, and what is stored or printed is read by others. Any other comes back as it is written.
 */
export function withoutCredentials(address: string): string {
  if (!address.includes('@')) return address
  if (URL.canParse(address)) {
    const url = new URL(address)
    if (url.username || url.password) {
      url.username = hidden
      url.password = ''
      return url.href
    }
    if (url.host) return address
  }
  return address.replace(ofAddress, `$1${hidden}@`)
}

/** A text in which addresses may stand, without their user names and passwords. */
export const textWithoutCredentials = (text: string): string => text.replace(inText, `$1${hidden}@`)
