import { readFileSync } from 'node:fs'
import { packaged } from './packaged.js'

/** The program's own version, as its package says it. */
export const programVersion: string = (
  JSON.parse(readFileSync(packaged('package.json'), 'utf8')) as { readonly version: string }
).version
