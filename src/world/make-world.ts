import { createHash } from 'node:crypto'
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import pLimit from 'p-limit'
import { z } from 'zod'
import { makeFolder } from '../base/files/make-folder.js'
import { sweepAside } from '../base/files/sweep-aside.js'
import { whyUnreadable } from '../base/files/why-unreadable.js'
import { asidePath, asideSuffix, writeFileAtomic } from '../base/files/write-file-atomic.js'
import { UserError } from '../base/user-error.js'
import { absentPhrases } from './absent-phrases.js'
import { addToCocoFile, emptyCocoFile } from './coco-file.js'
import { describeScene } from './describe-scene.js'
import { drawScene } from './draw-scene.js'
import { layoutScene } from './layout-scene.js'
import { type InkMap, measureInk } from './measure-ink.js'
import type { Recipe, Split } from './recipe.js'

export interface WorldProgress {
  readonly split: Split
  /** Scenes of the split that are on disk. */
  readonly done: number
  readonly total: number
}

export interface MakeWorldOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: WorldProgress) => void
}

/** Version of the generator: it is increased when the same recipe makes other files than before. */
const generation = 3

/** Scenes drawn at a time; libvips draws each in a thread of its own. */
const concurrency = 4

const splits: readonly Split[] = ['gold', 'known', 'novel', 'attributes', 'web']

/** What `world.json` says of the folder that it is in; `hash` is of the recipe and the generator. */
const worldFile = z.strictObject({ world: z.string(), hash: z.string(), complete: z.boolean() })
type WorldFile = z.infer<typeof worldFile>

/**
 * Writes a world into a folder of its own: `gold/`, `known/`, `novel/` and `attributes/` as COCO folders
 * (`images/`, `annotations.json` with captions and MDETR's `tokens_positive`, and beside COCO's keys what each
 * object looks like and phrases that a picture has nothing of), and `web/` as `images/` with `pairs.tsv` (url,
 * caption) and, for measuring only, `truth.json` in the form of gold. `world.json` comes last: a folder whose own names the same recipe as complete is left as it is, and an interrupted one goes on where it
 * stopped. A folder with a world of another recipe is made anew; one with anything else in it is a UserError.
 */
export async function makeWorld(
  recipe: Recipe,
  folder: string,
  options: MakeWorldOptions = {},
): Promise<{ readonly skipped: boolean }> {
  const hash = createHash('sha256')
    .update(JSON.stringify([generation, recipe]))
    .digest('hex')
  const record = (state: Omit<WorldFile, 'world'>) =>
    writeFileAtomic(join(folder, 'world.json'), `${JSON.stringify({ world: recipe.name, ...state })}\n`)
  const found = await readWorldFile(folder)
  if (found?.hash === hash && found.complete) return { skipped: true }
  if (found?.hash !== hash) {
    // A run that is killed from here on leaves a record without a hash, and the next run starts over.
    await record({ hash: '', complete: false })
    for (const split of splits) await rm(join(folder, split), { recursive: true, force: true })
    await record({ hash, complete: false })
  }
  const ink = await measureInk(recipe)
  for (const split of splits) await writeSplit(recipe, ink, folder, split, options)
  await record({ hash, complete: true })
  return { skipped: false }
}

async function readWorldFile(folder: string): Promise<WorldFile | undefined> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new UserError(`${folder} cannot be the folder of a world: ${whyUnreadable(error)}`)
  })
  if (names.every((name) => name.endsWith(asideSuffix))) return undefined
  const text = await readFile(join(folder, 'world.json'), 'utf8').catch(() => undefined)
  if (text === undefined) {
    throw new UserError(`${folder}: not empty and without a world.json; name an empty or new folder`)
  }
  try {
    return worldFile.parse(JSON.parse(text))
  } catch {
    throw new UserError(`${folder}: its world.json is not of a world; remove the folder or name another`)
  }
}

/** How a web address fails: no file, a page instead of a picture, a picture cut in half. */
const failures = ['missing', 'page', 'cut'] as const
type Failure = (typeof failures)[number]

/** Failures are spread evenly over the addresses, each kind in turn. */
function failureOf({ web }: Recipe, split: Split, index: number): Failure | undefined {
  const before = Math.floor(index * web.broken_share)
  const fails = split === 'web' && Math.floor((index + 1) * web.broken_share) > before
  return fails ? failures[before % failures.length] : undefined
}

async function writeSplit(
  recipe: Recipe,
  ink: InkMap,
  folder: string,
  split: Split,
  { signal, onProgress }: MakeWorldOptions,
): Promise<void> {
  const root = join(folder, split)
  await makeFolder(join(root, 'images'))
  for (const name of await readdir(join(root, 'images')))
    if (name.endsWith(asideSuffix)) await sweepAside(join(root, 'images', name))
  const coco = emptyCocoFile(recipe, split)
  const pairs = ['url\tcaption']
  const total = recipe.splits[split]
  const limit = pLimit(concurrency)
  const drawn: Promise<void>[] = []
  let done = 0
  for (let index = 0; index < total && !signal?.aborted; index++) {
    // Scenes are laid out without a pause: a Ctrl-C would not be heard before the last.
    if (index % 16 === 0) await setImmediate()
    const scene = layoutScene(recipe, ink, split, index)
    const words = describeScene(recipe, scene)
    const name = `${String(index).padStart(6, '0')}.jpg`
    const failure = failureOf(recipe, split, index)
    const negatives = split === 'web' ? undefined : absentPhrases(recipe, scene, words)
    addToCocoFile(coco, scene, words, name, negatives)
    const file = failure === 'page' ? name.replace('.jpg', '.html') : name
    pairs.push(`images/${file}\t${words.caption}`)
    const path = join(root, 'images', file)
    const one = limit(async () => {
      signal?.throwIfAborted()
      if (failure !== 'missing' && !(await isWritten(path))) {
        const bytes = await drawScene(scene, ink, recipe.scene.jpeg_quality)
        await writeWhole(path, failure === 'page' ? page : failure === 'cut' ? half(bytes) : bytes)
      }
      done++
      onProgress?.({ split, done, total })
    })
    // Its failure is thrown when all are laid out; until then it must not count as unhandled.
    one.catch(() => {})
    drawn.push(one)
  }
  // All of them, so that nothing still writes when the caller hears of a failure.
  for (const result of await Promise.allSettled(drawn)) {
    if (result.status === 'rejected') throw result.reason
  }
  signal?.throwIfAborted()
  if (split === 'web') await writeFileAtomic(join(root, 'pairs.tsv'), `${pairs.join('\n')}\n`)
  const file = split === 'web' ? 'truth.json' : 'annotations.json'
  await writeFileAtomic(join(root, file), `${JSON.stringify(coco)}\n`)
}

/** What a shop answers when the picture is gone. */
const page = Buffer.from('<!doctype html><title>Sold out</title><p>This picture is no longer here.</p>\n')

const half = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)

async function isWritten(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && found.size > 0
}

/** Whole or not at all, also when killed. Without a sync, which thousands of small files cannot afford. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporaryPath = asidePath(path)
  await writeFile(temporaryPath, bytes)
  await rename(temporaryPath, path)
}
