import { z } from 'zod'
import { longestName, stageNames } from './family-path.js'

/** What a stage is called: also a folder of its dataset or its run. */
export const stageName = z
  .string()
  .regex(stageNames, 'expected lower-case letters, digits and hyphens')
  .max(longestName, `expected up to ${longestName} letters`)
