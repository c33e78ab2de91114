/** Names of pictures as files of other machines have them. */
import { isForeign } from './picture-places.js'

/** What stands before the path: `s3://`, `file://`, the page from which Label Studio serves local files. */
const before = /^([a-z][a-z0-9+.-]*:\/\/+|\/?data\/local-files\/\?d=)/i

/** Whether a name starts from a place of another machine (`isForeign`), its owner's folder or a bucket. */
export const isOfElsewhere = (name: string): boolean =>
  isForeign(name) || name.startsWith('~/') || before.test(name)

/** The last parts of a name with slashes, the longest first; what is percent-encoded is as it was before. */
export function nameEnds(name: string): string[] {
  const parts = decoded(name.replace(before, ''))
    .split('/')
    .filter((part) => !['', '.', '..', '~'].includes(part))
  return parts.map((_, at) => parts.slice(at).join('/'))
}

/** Programs that serve pictures by addresses (Label Studio) write the names of files as in one. */
export function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/**
 * Tells of an end whether one name alone has it, so that a file of that name is the picture's. It is worked
 * out when it is first asked for: of a million pictures there are some million ends.
 */
export function soleEnds(names: Iterable<string>): (end: string) => boolean {
  let counts: Map<string, number> | undefined
  return (end) => {
    if (!counts) {
      counts = new Map()
      for (const name of new Set(names))
        for (const own of nameEnds(name)) counts.set(own, (counts.get(own) ?? 0) + 1)
    }
    return counts.get(end) === 1
  }
}
