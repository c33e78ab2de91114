import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '../../src/base/random.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { commandOutcome } from './command-outcome.js'
import { type DamagedRun, kindsOfFiles, makeDamagedRun } from './damaged-run.js'
import { type Damage, damagesOf } from './damages.js'

/** What became of all tries with files of one kind. */
export interface DamageCount {
  /** The names of the files, with # for numbers and hashes. */
  readonly files: string
  damages: number
  /** Commands that were run over a damaged file. */
  tries: number
  /** Of these, how many ended with 0, 1 and 2. */
  readonly codes: [number, number, number]
  /** Commands that ended otherwise, took too long, or said what no user can do anything with. */
  wrong: number
  /** Pictures whose record and file were whole, and that are not there any more after a command. */
  lost: number
  slowest: number
}

/** Seconds within which a command ends: one that only reads, and one that may have to train and label anew. */
const [mostSeconds, mostSecondsAnew] = [10, 120]

export interface Damaging {
  readonly folder: string
  /** The share of all damages that is tried. */
  readonly scale: number
  readonly draw: Random
  /** Of which files; those whose names hold this. */
  readonly only: string
  readonly done: (count: DamageCount) => void
  readonly tellWrong: (text: string) => void
}

/** Keys of the pictures of a shard, by the file and the record that hold them. */
interface WholeShard {
  readonly dataset: string
  readonly shard: string
  readonly holds: readonly string[]
  readonly keys: readonly string[]
}

/**
 * Damages the files of a run, one at a time, and runs commands over each: they are to end as `commandOutcome` has it.
 * Those that make anew and mend work on a copy, while the web of the crawl is gone: pictures that are whole
 * are to be there after them.
 */
export async function damageFiles(damaging: Damaging): Promise<void> {
  const { folder, scale, draw, only, done } = damaging
  const made = await makeDamagedRun(folder)
  const shards = await wholeShards(made.whole)
  let place = 0
  for (const [files, names] of await kindsOfFiles(made.whole)) {
    if (!files.includes(only)) continue
    const name = draw.pick(names)
    const all = damagesOf(await readFile(join(made.whole, name)))
    const some = draw.shuffle(all).slice(0, Math.max(1, Math.round(all.length * scale)))
    const count: DamageCount = {
      files,
      damages: 0,
      tries: 0,
      codes: [0, 0, 0],
      wrong: 0,
      lost: 0,
      slowest: 0,
    }
    for (const damage of some) {
      if (damage.instead === 'unreadable' && process.getuid?.() === 0) continue
      count.damages++
      await tryDamage(
        damaging,
        made,
        { name, damage, place: join(folder, `damaged-${place++}`), shards },
        count,
      )
    }
    done(count)
  }
}

interface Try {
  readonly name: string
  readonly damage: Damage
  /** A folder that no other try has: what a process has verified under a name it does not look at again. */
  readonly place: string
  readonly shards: readonly WholeShard[]
}

async function tryDamage(
  { tellWrong, only: _, ...rest }: Damaging,
  { whole, reading, changing }: DamagedRun,
  { name, damage, place, shards }: Try,
  count: DamageCount,
): Promise<void> {
  const within = shards.some(({ dataset }) => name.startsWith(`${dataset}/`))
  const dataset = within ? name.slice(0, name.indexOf('/')) : 'web'
  const out = `${place}-out`
  const attempt = async (run: string, command: string, work: DamagedRun['reading'][string], most: number) => {
    await mkdir(out)
    const outcome = await commandOutcome(
      (signal) => work({ run, dataset: join(run, dataset), out: join(out, 'made') }, signal),
      most,
    )
    await rm(out, { recursive: true })
    count.tries++
    count.slowest = Math.max(count.slowest, outcome.seconds)
    if (outcome.code <= 2) count.codes[outcome.code as 0 | 1 | 2]++
    if (!outcome.wrong) return
    count.wrong++
    tellWrong(`${name}: ${damage.name}: ${command}: ${outcome.wrong}`)
  }
  await cp(whole, place, { recursive: true, verbatimSymlinks: true })
  await put(join(place, name), damage, rest.folder)
  for (const [command, work] of Object.entries(reading))
    if (mayRead(command, name, within)) await attempt(place, command, work, mostSeconds)
  for (const [command, work] of Object.entries(changing)) {
    if (!mayRead(command, name, within)) continue
    const copy = `${place}-${command.replace(/\W/g, '')}`
    await cp(place, copy, { recursive: true, verbatimSymlinks: true })
    await attempt(copy, command, work, mostSecondsAnew)
    const lost = await lostPictures(copy, name, shards)
    count.lost += lost.length
    if (lost.length > 0) tellWrong(`${name}: ${damage.name}: ${command}: lost ${lost.slice(0, 3).join(', ')}`)
    await rm(copy, { recursive: true })
  }
  await rm(place, { recursive: true })
}

/** Whether a command may come across a file: what is of a dataset, of models, or else of the run. */
function mayRead(command: string, name: string, isOfDataset: boolean): boolean {
  if (command === 'evaluate') return name.startsWith('models/')
  if (command === 'round') return /^(rounds|models|report)/.test(name)
  return isOfDataset || /^(stats|run|check.*|watch --once)$/.test(command)
}

/** Puts the damage in the place of a file. */
async function put(path: string, { instead }: Damage, folder: string): Promise<void> {
  if (instead === 'unreadable') throw new Error('to be tried by who is not root')
  const outside = join(folder, 'outside')
  if (instead === 'link') await rename(path, outside)
  else await rm(path)
  if (instead === 'folder') await mkdir(path)
  else if (instead === 'link') await symlink(outside, path)
  else if (instead !== 'nothing') await writeFile(path, instead)
}

/** The pictures of every shard of a run. */
async function wholeShards(run: string): Promise<WholeShard[]> {
  const found: WholeShard[] = []
  for (const dataset of await readdir(run)) {
    const records = await readdir(join(run, dataset, 'images')).catch(() => [])
    for (const file of records.filter((name) => name.endsWith('.json'))) {
      const record = join(dataset, 'images', file)
      const { shard, files } = JSON.parse(await readFile(join(run, record), 'utf8'))
      const holds = [record, join(dataset, files.images.path)]
      found.push({ dataset, shard, holds, keys: await keysOf(join(run, dataset), shard) })
    }
  }
  return found
}

async function keysOf(dataset: string, shard: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of joinRows(openStorage(dataset), shard, { images: { columns: ['key'] } }))
    keys.push(key)
  return keys
}

async function lostPictures(run: string, damaged: string, shards: readonly WholeShard[]): Promise<string[]> {
  const lost: string[] = []
  for (const { dataset, shard, holds, keys } of shards) {
    if (holds.includes(damaged)) continue
    const now = new Set(await keysOf(join(run, dataset), shard).catch(() => []))
    lost.push(...keys.filter((key) => !now.has(key)).map((key) => `${dataset} ${key}`))
  }
  return lost
}
