import type { Xyxy } from '../../boxes/xyxy.js'
import { type IgnoredRegion, negativePhrase, type Phrase, type Proposal } from '../../rows/rows.js'
import { boxMeasures } from '../../statistics/box-measures.js'
import { binOf, hostOf } from '../../statistics/measures.js'
import type { Relabelled } from '../view/answers.js'
import { shownMeasures } from '../view/shown-measures.js'
import { isKept } from '../view/threshold.js'
import { GrowableArray } from './growable-array.js'
import type { Layer, LayerBox, Told } from './layer.js'
import type { StringTable } from './string-table.js'

/**
 * What filters read of the pictures of one shard: a few dozen bytes each, and the length of key and address.
 */
export interface ImagePart {
  readonly rows: number
  /** Bin of the longer side. */
  readonly side: Uint8Array
  /** Number of the host in the table of hosts, of an empty one where there is no address. */
  readonly host: Int32Array
  /** Of each row its key, a zero and its address, a zero, in lower case. */
  readonly names: Buffer
  readonly nameStart: Uint32Array
  readonly bytes: number
}

/** What filters read of a layer's phrases and boxes in one shard, box after box. */
export interface LayerPart {
  readonly rows: number
  /** Proposals, the boxes that no threshold keeps among them. */
  readonly proposals: number
  readonly phraseStart: Uint32Array
  /** Numbers in the tables of texts and heads. */
  readonly phraseText: Int32Array
  readonly phraseHead: Int32Array
  readonly boxStart: Uint32Array
  /** Head of the box's phrase. */
  readonly boxHead: Int32Array
  /**
   * The highest threshold at which the box is kept. In double precision where calibrated scores are no
   * float32.
   */
  readonly boxTo: Float32Array | Float64Array
  /**
   * The box is kept at thresholds above this one only; null where every box is kept at all thresholds below
   * `boxTo`.
   */
  readonly boxFrom: Float64Array | null
  /** Null where every score is the `boxTo` of its box, as it is unless a rule behind the threshold changes scores. */
  readonly boxScore: Float64Array | null
  readonly scoreBin: Uint8Array
  readonly areaBin: Uint8Array
  readonly aspectBin: Uint8Array
  /** A hash of caption and span: equal for boxes of the same words. */
  readonly boxSpan: Uint32Array
  /** Four numbers a box. */
  readonly boxXyxy: Float32Array
  readonly bytes: number
}

const bytesOf = (parts: readonly (ArrayBufferView | null)[]) =>
  parts.reduce((sum, part) => sum + (part?.byteLength ?? 0), 0)

/** Collects the pictures of a shard. */
export function imagePartBuilder(hosts: StringTable) {
  const side = new GrowableArray(Uint8Array)
  const host = new GrowableArray(Int32Array)
  const nameStart = new GrowableArray(Uint32Array)
  const names: Buffer[] = []
  let length = 0
  return {
    add({ key, url, width, height }: { key: string; url: string | null; width: number; height: number }) {
      side.push(binOf(shownMeasures.longer_side.edges, Math.max(width, height)))
      host.push(hosts.add((url === null ? undefined : hostOf(url)) ?? ''))
      nameStart.push(length)
      const name = Buffer.from(`${key}\0${url ?? ''}\0`.toLowerCase())
      names.push(name)
      length += name.length
    },
    build(): ImagePart {
      nameStart.push(length)
      const part = {
        side: side.done(),
        host: host.done(),
        names: Buffer.concat(names),
        nameStart: nameStart.done(),
      }
      return { ...part, rows: part.side.length, bytes: bytesOf(Object.values(part)) }
    },
  }
}

/** Proposals that belong to phrases, and those of negative prompts. */
export function splitProposals(proposals: readonly Proposal[], phrases: readonly Phrase[]) {
  const own: Proposal[] = []
  const negatives: Proposal[] = []
  for (const one of proposals) {
    if (one.phrase === negativePhrase) negatives.push(one)
    else if (phrases[one.phrase]) own.push(one)
  }
  return { own, negatives }
}

/** What a truth says of a picture: the boxes that its layer keeps at its own threshold. */
export function toldBy(
  layer: Pick<Layer, 'passing' | 'threshold'>,
  row: LayerRow,
  captions: Told['captions'],
): Told {
  const kept = layerBoxes(layer, row).filter(({ from, to }) => isKept(from, to, layer.threshold))
  return { captions, phrases: row.phrases, regions: kept, ignored: row.ignored ?? null }
}

/** A picture's boxes in a layer, at every threshold. */
export function layerBoxes(
  layer: Pick<Layer, 'passing'>,
  { width, height, phrases, boxes }: LayerRow,
): readonly LayerBox[] {
  if (!layer.passing)
    return boxes.flatMap((box): LayerBox[] => {
      const { phrase, xyxy, score } = box
      const named = phrases[phrase]
      if (!named) return []
      const relabelled = storedLabel(box, named)
      return [{ phrase, xyxy, score, from: -1, to: score, ...(relabelled && { relabelled }) }]
    })
  const { own, negatives } = splitProposals(boxes as readonly Proposal[], phrases)
  return layer.passing(own, { width, height, phrases, negatives })
}

/** The label of a stored region that has a part of its phrase for one. */
function storedLabel({ start, end }: LayerRow['boxes'][number], named: Phrase): Relabelled | undefined {
  if (start === undefined || end === undefined) return undefined
  const isPart = start >= named.start && end <= named.end && end - start < named.end - named.start
  return isPart ? { start, end, rule: null } : undefined
}

/** A row of pictures, phrases and stored boxes. */
export interface LayerRow {
  readonly width: number
  readonly height: number
  readonly phrases: readonly Phrase[]
  readonly boxes: readonly {
    readonly phrase: number
    readonly xyxy: Xyxy
    readonly score: number
    /** Span of a region's words; a proposal has none. */
    readonly start?: number
    readonly end?: number
  }[]
  readonly ignored?: readonly IgnoredRegion[] | null
}

/** Collects phrases and boxes of a shard. */
export function layerPartBuilder(layer: Pick<Layer, 'passing'>, texts: StringTable, heads: StringTable) {
  const phraseStart = new GrowableArray(Uint32Array)
  const phraseText = new GrowableArray(Int32Array)
  const phraseHead = new GrowableArray(Int32Array)
  const boxStart = new GrowableArray(Uint32Array)
  const boxHead = new GrowableArray(Int32Array)
  const boxTo = new GrowableArray(Float64Array)
  const boxFrom = new GrowableArray(Float64Array)
  const boxScore = new GrowableArray(Float64Array)
  const scoreBin = new GrowableArray(Uint8Array)
  const areaBin = new GrowableArray(Uint8Array)
  const aspectBin = new GrowableArray(Uint8Array)
  const boxSpan = new GrowableArray(Uint32Array)
  const boxXyxy = new GrowableArray(Float32Array)
  let [isSimple, isSingle, isScored, proposals] = [true, true, true, 0]
  return {
    add(row: LayerRow) {
      const { width, height, phrases } = row
      phraseStart.push(phraseText.length)
      boxStart.push(boxHead.length)
      for (const { text, head } of phrases) {
        phraseText.push(texts.add(text.toLowerCase()))
        phraseHead.push(heads.add(head))
      }
      proposals += row.boxes.length
      for (const { phrase, xyxy, score, from, to, relabelled } of layerBoxes(layer, row)) {
        const named = phrases[phrase] as Phrase
        boxHead.push(heads.add(named.head))
        boxTo.push(to)
        boxFrom.push(from)
        boxScore.push(score)
        if (from >= 0) isSimple = false
        if (score !== to) isScored = false
        if (Math.fround(to) !== to) isSingle = false
        const measured = boxMeasures({ width, height }, { xyxy, score })
        scoreBin.push(binOf(shownMeasures.score.edges, measured.score))
        areaBin.push(binOf(shownMeasures.area_share.edges, measured.area_share))
        aspectBin.push(binOf(shownMeasures.aspect.edges, measured.aspect))
        boxSpan.push(hashOf({ ...named, ...relabelled }))
        for (const edge of xyxy) boxXyxy.push(edge)
      }
    },
    build(): LayerPart {
      phraseStart.push(phraseText.length)
      boxStart.push(boxHead.length)
      const to = boxTo.done()
      const part = {
        phraseStart: phraseStart.done(),
        phraseText: phraseText.done(),
        phraseHead: phraseHead.done(),
        boxStart: boxStart.done(),
        boxHead: boxHead.done(),
        boxTo: isSingle ? new Float32Array(to) : to,
        boxFrom: isSimple ? null : boxFrom.done(),
        boxScore: isScored ? null : boxScore.done(),
        scoreBin: scoreBin.done(),
        areaBin: areaBin.done(),
        aspectBin: aspectBin.done(),
        boxSpan: boxSpan.done(),
        boxXyxy: boxXyxy.done(),
      }
      return { ...part, proposals, rows: part.boxStart.length - 1, bytes: bytesOf(Object.values(part)) }
    },
  }
}

/** FNV-1a over caption and span, by words of 32 bits. */
function hashOf({ caption, start, end }: Pick<Phrase, 'caption' | 'start' | 'end'>): number {
  let hash = 0x811c9dc5
  for (const word of [caption, start, end]) {
    hash = Math.imul(hash ^ (word & 0xffff), 0x01000193)
    hash = Math.imul(hash ^ (word >>> 16), 0x01000193)
  }
  return hash >>> 0
}
