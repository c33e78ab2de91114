/**
 * The reference of every key, and the JSON Schema of pipelines, out of the schemas that check them:
 *
 *     npm run keys
 */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packaged } from '../src/base/files/packaged.js'
import { editorSchema } from '../src/keys/editor-schema.js'
import { type KeyKind, keyKinds } from '../src/keys/key-kinds.js'
import { keysPage } from '../src/keys/keys-page.js'

/** What is made, by its path in the project. */
export function keyFiles(): Record<string, string> {
  const all = keyKinds()
  const schemaOf = (name: string) => {
    const kind = all.find((one) => one.name === name) as KeyKind
    return `${JSON.stringify(editorSchema(kind, all), null, 1)}\n`
  }
  return { 'docs/keys.md': keysPage(all), 'pipelines/pipeline.schema.json': schemaOf('pipeline') }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  for (const [path, text] of Object.entries(keyFiles())) await writeFile(packaged(path), text)
