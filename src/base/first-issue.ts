import type { z } from 'zod'
import { shortLine } from './name-list.js'

/**
 * The first thing that is wrong with a value by its schema: the key, where it is one's, and what was expected.
 *
 * @param whole what is named in place of a key where it is the value itself
 */
export function firstIssue({ issues: [issue] }: Pick<z.ZodError, 'issues'>, whole = ''): string {
  const key = issue?.path.join('.') || whole
  return shortLine(`${key ? `${key}: ` : ''}${issue?.message}`)
}
