import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The names of all that is in a folder and below it, folders too, with slashes from the folder on. Links to
 * folders are followed, but no folder is looked into twice: `readdir` alone would go round in links that lead
 * upwards, and where there are several of them would not come to an end.
 *
 * @throws the system's error where the folder cannot be read
 */
export async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = []
  const seen = new Set<string>([await realpath(folder)])
  // What lies there itself goes before what only links lead to.
  const links: string[] = []
  const look = async (below: string) => {
    const entries = await readdir(join(folder, below), { withFileTypes: true })
    const folders: string[] = []
    for (const entry of entries) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      found.push(name)
      if (entry.isDirectory()) folders.push(name)
      else if (entry.isSymbolicLink()) links.push(name)
    }
    for (const name of folders) {
      seen.add(await realpath(join(folder, name)))
      await look(name)
    }
  }
  await look('')
  for (let link = links.shift(); link !== undefined; link = links.shift()) {
    const path = join(folder, link)
    if (!(await stat(path).catch(() => undefined))?.isDirectory()) continue
    const own = await realpath(path)
    if (seen.has(own)) continue
    seen.add(own)
    await look(link)
  }
  return found
}
