import { z } from 'zod'
import { isName } from './family-path.js'

/** A name in a file that a stranger may have written and that becomes part of a path: it leads nowhere else. */
export const pathName = z
  .string()
  .refine(
    (name) => isName(name),
    'expected up to 128 letters, digits, hyphens, dots and underscores, the first no dot or hyphen',
  )
