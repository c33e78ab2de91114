import type { Caption, GroundingRow, ImageRow, Phrase, PhraseRow, Region } from '../rows/rows.js'
import { joinRows, mismatch } from '../shards/join-rows.js'
import type { Span } from '../words/name-prompt.js'
import type { GroundingSource } from './known-heads.js'
import { type PhraseKind, phraseKinds } from './phrase-kinds.js'
import { type PictureTruth, spanKey } from './truth.js'

/** A grounding that is taken for the truth, and the stage of the phrases that it points to. */
export interface GoldStage {
  readonly grounding: string
  readonly phrases: string
}

export interface AuditOptions {
  /** Head nouns that are known; without them no head is known or new. */
  readonly known?: ReadonlySet<string>
  /** Words name things by their category; without it, by spans of the truth. */
  readonly byCategory?: { readonly synonyms?: Readonly<Record<string, readonly string[]>> }
  /** The stage that says which pictures are dropped. */
  readonly selection?: string
  readonly signal?: AbortSignal
  /** Told after each picture. */
  readonly onProgress?: (pictures: number) => void
}

/** A picture's captions, phrases and regions. */
export interface GroundedPicture {
  readonly key: string
  /** All of the row but its bytes. */
  readonly image: Pick<ImageRow, 'captions' | 'url' | 'meta' | 'width' | 'height'>
  readonly captions: readonly Caption[]
  readonly phrases: readonly Phrase[]
  readonly regions: readonly Region[]
  /** Those of the gold stage, where one was asked for. */
  readonly gold?: Pick<PhraseRow, 'phrases'> & Pick<GroundingRow, 'regions' | 'ignored'>
}

/**
 * The pictures of a grounding, but those that the selection drops.
 *
 * @throws UserError where the shards do not belong together
 */
export async function* groundedPictures(
  { storage, shards, grounding, phrases }: GroundingSource,
  { selection, signal, onProgress }: AuditOptions,
  gold?: GoldStage,
): AsyncGenerator<GroundedPicture> {
  let pictures = 0
  const parts = {
    images: { columns: ['captions', 'url', 'meta', 'width', 'height'] },
    phrases: { stage: phrases, columns: ['phrases'] },
    grounding: { stage: grounding, columns: ['regions'] },
    selection: selection === undefined ? undefined : ({ stage: selection, columns: ['reason'] } as const),
    goldPhrases: gold && ({ family: 'phrases', stage: gold.phrases, columns: ['phrases'] } as const),
    goldRegions:
      gold && ({ family: 'grounding', stage: gold.grounding, columns: ['regions', 'ignored'] } as const),
  } as const
  for (const shard of shards) {
    for await (const row of joinRows(storage, shard, parts, signal && { signal })) {
      onProgress?.(++pictures)
      if (row.selection?.reason) continue
      const { goldPhrases, goldRegions } = row
      const picture = {
        key: row.key,
        image: row.images,
        captions: row.images.captions,
        phrases: row.phrases.phrases,
        regions: row.grounding.regions,
        ...(goldPhrases && goldRegions && { gold: { phrases: goldPhrases.phrases, ...goldRegions } }),
      }
      if (!isSound(picture)) {
        const other = { family: 'phrases', stage: phrases } as const
        throw mismatch({ storage, shard }, { family: 'grounding', stage: grounding }, other, row.row)
      }
      yield picture
    }
  }
}

const isSound = ({ captions, phrases, regions }: GroundedPicture) =>
  regions.every(({ phrase }) => phrases[phrase] !== undefined) &&
  phrases.every(({ caption }) => captions[caption] !== undefined)

/** The words of a region as a phrase: its own, or a part of it, or the phrase with its tail. */
export function wordsOf(
  { captions }: GroundedPicture,
  phrase: Phrase,
  { start, end }: Pick<Region, 'start' | 'end'>,
): Phrase {
  if (start === phrase.start && end === phrase.end) return phrase
  const points = [...(captions[phrase.caption]?.text ?? '')]
  return { ...phrase, start, end, text: points.slice(start, end).join('') }
}

/** Makes a function that tells the kinds of a span of a phrase, which are found out once each. */
export function kindsIn(
  picture: GroundedPicture,
  known: ReadonlySet<string> | undefined,
  truth?: PictureTruth,
): (phrase: Phrase, span: Pick<Region, 'start' | 'end'>, named?: readonly number[]) => readonly PhraseKind[] {
  const found = new Map<string, readonly PhraseKind[]>()
  return (phrase, span, named) => {
    const id = spanKey(phrase.caption, span.start, span.end)
    const before = found.get(id)
    if (before) return before
    const kinds = phraseKinds(wordsOf(picture, phrase, span), {
      caption: picture.captions[phrase.caption]?.text ?? '',
      others: picture.phrases.flatMap((other): Span[] =>
        other !== phrase && other.caption === phrase.caption ? [[other.start, other.end]] : [],
      ),
      ...(known && { known }),
      ...(truth && named && { truth, named }),
    })
    found.set(id, kinds)
    return kinds
  }
}
