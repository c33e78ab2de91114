import { readsAtOnce } from '../base/map-limited.js'
import { shownValue } from '../base/name-list.js'
import { orderedMap } from '../base/ordered-map.js'
import { UserError } from '../base/user-error.js'
import type { GroupMemory } from '../parquet/group-memory.js'
import type { Caption, IgnoredRegion, NegativeRow, Region } from '../rows/rows.js'
import { readCommit } from '../shards/commit.js'
import { hasFamily } from '../shards/has-family.js'
import { joinRows, mismatch } from '../shards/join-rows.js'
import type { Storage } from '../storage/storage.js'
import { plainText } from '../words/plain-text.js'
import { labelsOf } from './region-labels.js'
import { type SourceIdentity, sourceIdentity } from './source-identity.js'

/**
 * What is exported: a grounding, the phrases that it points to, and the stage that says which pictures are
 * dropped.
 */
export interface ExportSource {
  /** Name of the dataset. */
  readonly name: string
  readonly storage: Storage
  readonly shards: readonly string[]
  readonly grounding: string
  readonly phrases: string
  readonly selection?: string
  /** The stage that mined negatives of the pictures; else those that the grounding's own stage was told of. */
  readonly negatives?: string
}

/** A region with the words that it names. */
export interface ExportRegion extends Region {
  /** What the span covers of its caption, as people read it. */
  readonly text: string
  /** Head noun of its phrase; of a category's name the whole name. */
  readonly head: string
  /** What a detector with a fixed list of labels calls it; absent where labels are not read (`RowParts`). */
  readonly label?: string | null
}

/** A picture with all that is exported of it. */
export interface ExportRow extends SourceIdentity {
  readonly key: string
  /** A view that is good until the next row is asked for; empty where pictures are not wanted. */
  readonly bytes: Uint8Array
  /** Pixels. */
  readonly width: number
  readonly height: number
  readonly captions: readonly Caption[]
  readonly regions: readonly ExportRegion[]
  /** Boxes that evaluation passes over. */
  readonly ignored: readonly IgnoredRegion[]
  /** Phrases that no region names. */
  readonly ungrounded: number
  readonly url: string | null
  readonly sha256: string
  readonly license: string | null
  readonly meta: string | null
  /** What is known not to be in the picture; null where nobody said. */
  readonly absence: Absence | null
  /** Why an earlier stage dropped the picture; null where it is kept. */
  readonly dropped: string | null
}

/** What is known not to be in a picture. */
export interface Absence {
  readonly negatives: readonly string[]
  /** Whether everything that a category names has a box; never of boxes that a model found. */
  readonly exhaustive: boolean
  readonly partial: readonly string[]
}

export interface RowParts {
  /** The memory that the pictures' bytes are read to; absent where they are not read. */
  readonly pictures?: GroupMemory | undefined
  /** The stage of the proposals whose labels are read. */
  readonly labels?: string | undefined
}

const light = ['width', 'height', 'captions', 'url', 'sha256', 'license', 'meta'] as const

/** Without any a text's code points are its own units. */
const surrogate = /[\ud800-\udfff]/

/** A key becomes the name of a file and of a sample, so it may hold neither folders nor dots. */
const keyPattern = /^\w[\w-]*$/

/**
 * The rows of a shard, in their order, a row group of each family in memory.
 *
 * @throws UserError where the families do not match row for row, a region is outside its caption, or a key
 * cannot be the name of a file
 */
export async function* readExportRows(
  { storage, grounding, phrases, selection, negatives }: ExportSource,
  shard: string,
  { pictures, labels }: RowParts = {},
): AsyncGenerator<ExportRow, void, void> {
  const isSaid = await hasFamily(storage, 'negatives', grounding, shard)
  const rows = joinRows(storage, shard, {
    images: pictures ? { columns: [...light, 'image'], memory: pictures } : { columns: light },
    phrases: { stage: phrases, columns: ['phrases'] },
    grounding: { stage: grounding, columns: ['regions', 'ignored'] },
    selection: selection === undefined ? undefined : { stage: selection, columns: ['reason'] },
    said: isSaid ? { family: 'negatives', stage: grounding } : undefined,
    proposals: labels === undefined ? undefined : { stage: labels, columns: ['proposals'] },
    mined: negatives === undefined ? undefined : { family: 'negatives', stage: negatives },
  })
  const phraseSource = { family: 'phrases', stage: phrases } as const
  const regionSource = { family: 'grounding', stage: grounding } as const
  for await (const { key, row, images, ...joined } of rows) {
    const { width, height, captions, url, sha256, license, meta } = images
    if (!keyPattern.test(key))
      throw new UserError(
        `${storage.url}: shard ${shard}: the key ${shownValue(key)} cannot be the name of a file.`,
      )
    const rowPhrases = joined.phrases.phrases
    const codePoints = captions.map(({ text }) => (surrogate.test(text) ? [...text] : text))
    const grounded = new Set<number>()
    const labelOf = joined.proposals && labelsOf(joined.grounding.regions, joined.proposals.proposals)
    const regions = joined.grounding.regions.map((region): ExportRegion => {
      const caption = codePoints[region.caption]
      const phrase = rowPhrases[region.phrase]
      if (!caption || !phrase || region.end > caption.length)
        throw mismatch({ storage, shard }, regionSource, phraseSource, row)
      grounded.add(region.phrase)
      const span = caption.slice(region.start, region.end)
      const text = plainText(typeof span === 'string' ? span : span.join(''))
      const isCategory = captions[region.caption]?.kind === 'categories'
      const head = isCategory ? text : phrase.head
      // Written out: objects that are put together of others take many times as long to make and to read.
      const named = {
        caption: region.caption,
        phrase: region.phrase,
        start: region.start,
        end: region.end,
        xyxy: region.xyxy,
        score: region.score,
        origin: region.origin,
        area: region.area ?? null,
        text,
        head,
      }
      return labelOf ? { ...named, label: labelOf(region) } : named
    })
    yield {
      key,
      width,
      height,
      captions,
      regions,
      ignored: joined.grounding.ignored ?? [],
      url,
      sha256,
      license,
      meta,
      ...sourceIdentity({ meta, url }),
      bytes: 'image' in images ? images.image.bytes : new Uint8Array(),
      ungrounded: rowPhrases.length - grounded.size,
      absence: absenceOf(joined.said, joined.mined),
      dropped: joined.selection?.reason ?? null,
    }
  }
}

/**
 * @param said by the source of the boxes
 * @param mined of its pictures: what holds of the source's boxes alone is not taken from there
 */
function absenceOf(said: NegativeRow | undefined, mined: NegativeRow | undefined): Absence | null {
  const known = mined ?? said
  if (!known) return null
  return {
    negatives: known.negatives.map(({ text }) => text),
    exhaustive: said?.exhaustive ?? false,
    partial: said?.partial ?? [],
  }
}

/** A shard that can be exported. */
export interface ExportShard {
  readonly shard: string
  readonly rows: number
  /** SHA-256 of the files that it is made of, in a fixed order. */
  readonly hashes: readonly string[]
}

/** The shards of a source that have all their files, and those that lack one. */
export async function exportShards({
  storage,
  shards,
  grounding,
  phrases,
  selection,
  negatives,
}: ExportSource): Promise<{
  readonly complete: readonly ExportShard[]
  readonly missing: readonly string[]
}> {
  const complete: ExportShard[] = []
  const missing: string[] = []
  const filesOf = async (shard: string) => {
    const files = [
      (await readCommit(storage, 'images', null, shard))?.files.images,
      (await readCommit(storage, 'phrases', phrases, shard))?.files.phrases,
      (await readCommit(storage, 'grounding', grounding, shard))?.files.grounding,
      ...(selection ? [(await readCommit(storage, 'selection', selection, shard))?.files.selection] : []),
      ...(negatives ? [(await readCommit(storage, 'negatives', negatives, shard))?.files.negatives] : []),
    ]
    const said = (await readCommit(storage, 'negatives', grounding, shard))?.files.negatives
    if (said) files.push(said)
    return { shard, files }
  }
  for await (const { shard, files } of orderedMap(shards, readsAtOnce, filesOf)) {
    const present = files.filter((file) => file !== undefined)
    const [first] = present
    if (!first || present.length < files.length) missing.push(shard)
    else complete.push({ shard, rows: first.rows, hashes: present.map(({ sha256 }) => sha256) })
  }
  return { complete, missing }
}
