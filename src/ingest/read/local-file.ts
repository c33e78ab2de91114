import { isInside, outsideAdvice } from '../../base/files/inside.js'
import { FileRefusal, readRegularFile } from '../../base/files/regular-file.js'
import { whyUnreadable } from '../../base/files/why-unreadable.js'
import { Reject } from '../fetch/reject.js'

/** Which files of this machine a source may name, and how large they may be. */
export interface LocalFiles {
  /** The folders that the configuration names: a file must lie in one of them, links resolved. */
  readonly roots: readonly string[]
  /** Whether files may lie anywhere. */
  readonly outside?: boolean | undefined
  readonly maxBytes: number
}

/**
 * The bytes of a file that a source names. Its names come with the data, from anybody: one may lead out of the
 * source's folder, to a private picture or to a device that has no end.
 *
 * @throws Reject `outside_folder`, `not_a_file` or `too_large`; the system's error where there is no such file
 */
export async function readLocalFile(path: string, files: LocalFiles): Promise<Buffer> {
  const { roots, outside = false, maxBytes } = files
  if (!outside && !(await isInside(path, roots)))
    throw new Reject(
      'outside_folder',
      `${path} is not in ${roots.join(', ')}, or is a link that leads out of it: ${outsideAdvice}`,
    )
  try {
    return await readRegularFile(path, maxBytes)
  } catch (error) {
    if (error instanceof FileRefusal) throw new Reject(error.reason, error.message)
    throw error
  }
}

/**
 * The bytes of a picture, of the first of some places that has it.
 *
 * @throws Reject `outside_folder`, `not_a_file` or `too_large` of the first place where there is one; else
 *   `missing_file`
 */
export async function readPicture(
  path: string,
  elsewhere: readonly string[],
  files: LocalFiles,
): Promise<Uint8Array> {
  let refused: Reject | undefined
  let missing: string | undefined
  for (const place of [path, ...elsewhere]) {
    try {
      return await readLocalFile(place, files)
    } catch (error) {
      if (error instanceof Reject) refused ??= error
      else missing ??= `${place}: ${whyUnreadable(error)}`
    }
  }
  if (refused) throw refused
  const more = elsewhere.length > 0 ? `, nor ${elsewhere.join(', ')}` : ''
  throw new Reject('missing_file', `${missing}${more}`)
}
