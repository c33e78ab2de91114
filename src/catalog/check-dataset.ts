import { orderedMap } from '../base/ordered-map.js'
import { UserError } from '../base/user-error.js'
import { exchangeOfPath, exchangesFolder } from '../review/exchange-files.js'
import { entriesOf } from '../review/read-reviews.js'
import { reviewOfPath, reviewsFolder } from '../review/review-files.js'
import { families } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { parseUnsummed } from '../shards/commit.js'
import { readDataset } from '../shards/dataset.js'
import { cacheFolder } from '../shards/kept-file.js'
import { readSelection, selectionOfPath, selectionsFolder } from '../shards/selections.js'
import { openStorage } from '../storage/open-storage.js'
import type { Storage } from '../storage/storage.js'
import { checkStage, type DatasetCheckOptions } from './check-stage.js'
import { checkUnfinished } from './check-unfinished.js'
import { type Finding, foreign } from './finding.js'

/** What there is of a dataset. */
export interface DatasetCheck {
  /** Shards of dataset.json; null where that cannot be read. */
  readonly shards: number | null
  /** Records of shards, and bytes of the files that they name. */
  readonly records: number
  readonly bytes: number
  /** Stages by name, with how many shards are made of each. */
  readonly stages: Readonly<Record<string, number>>
}

/**
 * Holds every record of a dataset against its files, and says what else lies there. Nothing is read of the rows.
 * The files of one stage are listed at a time, and a few records are in memory; a deep check reads every byte, a
 * part at a time. A dataset may be written meanwhile: what its writers have in hand is left alone, and what they
 * replace is looked at again.
 *
 * With `mend` what is left over is removed, records whose files are broken are removed with them (the next run
 * makes those shards anew), and files are given the names of today's layout. Where dataset.json cannot be read,
 * nothing is.
 */
export async function checkDataset(storage: Storage, asked: DatasetCheckOptions): Promise<DatasetCheck> {
  const { onFinding } = asked
  const info = await readDataset(storage).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error
    onFinding({ kind: 'wrong', name: 'dataset.json', what: error.message })
    return undefined
  })
  // What is of the dataset nobody knows without that file: nothing is removed.
  const mend = asked.mend && info !== undefined
  const options = { ...asked, mend }
  await checkTop(storage, mend, onFinding)
  const known = info && new Set(info.shards)
  const stages: Record<string, number> = {}
  let [records, bytes] = [0, 0]
  for (const [stage, own] of await stagesOf(storage, info?.name, mend, onFinding)) {
    options.signal?.throwIfAborted()
    const checked = await checkStage(storage, stage, own, known, options)
    records += checked.records
    bytes += checked.bytes
    stages[stage] = checked.records
  }
  return { shards: info?.shards.length ?? null, records, bytes, stages }
}

/** What lies beside the families' folders. */
async function checkTop(storage: Storage, mend: boolean, onFinding: (finding: Finding) => void) {
  for await (const file of storage.listFiles('.', 'inside')) {
    if (file.name === 'dataset.json') continue
    const finding = await checkUnfinished(storage, file, mend)
    onFinding(finding ?? foreign(file.name))
  }
  for (const folder of await storage.folders()) {
    if (folder === selectionsFolder) await checkSelections(storage, mend, onFinding)
    else if (folder === exchangesFolder) await checkExchanges(storage, mend, onFinding)
    else if (folder === reviewsFolder) await checkReviews(storage, mend, onFinding)
    else if (folder === cacheFolder) await checkCache(storage, mend, onFinding)
    else if (!families.includes(folder as Family)) onFinding(foreign(`${folder}/`))
  }
}

/** The lists of pictures that people have stored. */
async function checkSelections(storage: Storage, mend: boolean, onFinding: (finding: Finding) => void) {
  for await (const file of storage.listFiles(selectionsFolder)) {
    const name = selectionOfPath(file.name)
    const unfinished = await checkUnfinished(storage, file, mend)
    if (unfinished || name === undefined) onFinding(unfinished ?? foreign(file.name))
    else
      await readSelection(storage, name).catch((error) => {
        if (!(error instanceof UserError)) throw error
        onFinding({ kind: 'wrong', name: file.name, what: error.message })
      })
  }
}

/** What is made anew where it is damaged or gone. */
async function checkCache(storage: Storage, mend: boolean, onFinding: (finding: Finding) => void) {
  for await (const file of storage.listFiles(cacheFolder)) {
    const unfinished = await checkUnfinished(storage, file, mend)
    if (unfinished) onFinding(unfinished)
  }
}

/** What was exported to be reviewed elsewhere. */
async function checkExchanges(storage: Storage, mend: boolean, onFinding: (finding: Finding) => void) {
  for await (const file of storage.listFiles(exchangesFolder)) {
    const unfinished = await checkUnfinished(storage, file, mend)
    if (unfinished || exchangeOfPath(file.name) === undefined) onFinding(unfinished ?? foreign(file.name))
  }
}

/** What people have said of boxes and words. */
async function checkReviews(storage: Storage, mend: boolean, onFinding: (finding: Finding) => void) {
  for await (const file of storage.listFiles(reviewsFolder)) {
    const unfinished = await checkUnfinished(storage, file, mend)
    if (unfinished || reviewOfPath(file.name) === undefined) onFinding(unfinished ?? foreign(file.name))
    else
      entriesOf((await storage.read(file.name)) ?? new Uint8Array(), (what) =>
        onFinding({ kind: 'wrong', name: file.name, what }),
      )
  }
}

/**
 * Stages by name with the families that have a folder of them; the one that made the images, by what their records
 * say, comes first.
 */
async function stagesOf(
  storage: Storage,
  name: string | undefined,
  mend: boolean,
  onFinding: (finding: Finding) => void,
): Promise<ReadonlyMap<string, readonly Family[]>> {
  const stages = new Map<string, Family[]>()
  const there = new Set(await storage.folders())
  const add = (stage: string, family: Family) => {
    const own = stages.get(stage)
    if (own) own.push(family)
    else stages.set(stage, [family])
  }
  if (there.has('images')) add(await stageOfImages(storage, name), 'images')
  for await (const { family, folders } of orderedMap(families, 4, async (family) => ({
    family,
    folders:
      family !== 'images' && there.has(family) ? await openStorage(storage.path(family)).folders() : [],
  })))
    for (const stage of folders) add(stage, family)
  for (const family of families) {
    if (family === 'images' || !there.has(family)) continue
    for await (const file of storage.listFiles(family, 'inside'))
      onFinding((await checkUnfinished(storage, file, mend)) ?? foreign(file.name))
  }
  return stages
}

/** The stage that made the images; their folder has not its name. */
async function stageOfImages(storage: Storage, name = 'images'): Promise<string> {
  for await (const { name: record } of storage.listFiles('images', 'inside')) {
    if (!record.endsWith('.json')) continue
    const bytes = await storage.read(record)
    try {
      // Where its checksum is wrong it may say the stage all the same.
      if (bytes) return parseUnsummed(bytes, record).stage
    } catch (error) {
      if (!(error instanceof UserError)) throw error
    }
  }
  // A dataset has the name of the stage that makes it.
  return name
}
