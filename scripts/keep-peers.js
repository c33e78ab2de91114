/** Makes development dependencies dependencies, so that `npm prune --omit=dev` keeps them: names as arguments. */
import { readFileSync, writeFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
for (const name of process.argv.slice(2)) {
  const range = manifest.devDependencies[name]
  if (range === undefined) throw new Error(`package.json has no development dependency "${name}"`)
  delete manifest.devDependencies[name]
  manifest.dependencies[name] = range
}
writeFileSync('package.json', `${JSON.stringify(manifest, undefined, 2)}\n`)
