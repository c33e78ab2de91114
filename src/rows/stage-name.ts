import { z } from 'zod'
import { longestName } from './family-path.js'

/** What a stage is called: also a folder of its dataset or its run. */
export const stageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens')
  .max(longestName, `expected up to ${longestName} letters`)
