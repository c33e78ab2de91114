import { UserError } from '../base/user-error.js'
import { iou } from '../boxes/iou.js'
import { liesIn } from '../boxes/lies-in.js'
import { leastIou } from '../boxes/match-boxes.js'
import type { Xyxy } from '../boxes/xyxy.js'
import type { Phrase, Region } from '../rows/rows.js'
import { categoryMatcher } from '../words/category-matcher.js'
import {
  type AuditedLabel,
  type AuditedPhrase,
  type AuditedPicture,
  type AuditSummary,
  labelAudit,
} from './audit-labels.js'
import { namedByCategory } from './category-truth.js'
import type { FindTruth } from './coco-truth.js'
import { goldTruth } from './gold-truth.js'
import {
  type AuditOptions,
  type GoldStage,
  type GroundedPicture,
  groundedPictures,
  kindsIn,
} from './grounded-pictures.js'
import type { GroundingSource } from './known-heads.js'
import { type PictureTruth, spanKey } from './truth.js'

/**
 * How right the labels of a grounding are, held against another grounding of the dataset or against what is
 * found for each picture.
 *
 * @param truth what messages call it, and where it is
 * @throws UserError where the shards do not belong together, or the truth has none of the pictures
 */
export async function auditGrounding(
  source: GroundingSource,
  truth: { readonly name: string; readonly from: GoldStage | FindTruth },
  options: AuditOptions = {},
): Promise<AuditSummary> {
  const audit = labelAudit()
  for await (const picture of auditedPictures(source, truth.from, options)) audit.add(picture)
  const summary = audit.summary()
  if (summary.picturesWithTruth > 0) return summary
  throw new UserError(
    `${truth.name} has none of the ${summary.pictures} pictures of ${source.storage.url}${options.byCategory ? ': a picture is found by the file name in its address.' : ' with one of their captions: a picture is found by the file name in its address, and its caption must be the same to the letter.'}`,
  )
}

/** The labels of a grounding beside the truth, picture by picture. */
export async function* auditedPictures(
  source: GroundingSource,
  truth: GoldStage | FindTruth,
  options: AuditOptions = {},
): AsyncGenerator<AuditedPicture> {
  const means = options.byCategory && categoryMatcher({ common: true, ...options.byCategory })
  const isFound = typeof truth === 'function'
  for await (const picture of groundedPictures(source, options, isFound ? undefined : truth)) {
    const { captions, image, gold } = picture
    const told = isFound ? truth(image) : goldTruth(captions, gold?.phrases ?? [], gold ?? { regions: [] })
    const own = told && means ? namedByCategory(told, picture.phrases, means) : told
    yield auditedPicture(picture, own, options.known)
  }
}

function auditedPicture(
  picture: GroundedPicture,
  truth: PictureTruth | undefined,
  known: ReadonlySet<string> | undefined,
): AuditedPicture {
  const kindsOf = kindsIn(picture, known, truth)
  const labels: AuditedLabel[] = []
  const phrases: AuditedPhrase[] = []
  const asked = new Set<string>()
  for (const [at, phrase] of picture.phrases.entries()) {
    const id = spanKey(phrase.caption, phrase.start, phrase.end)
    asked.add(id)
    const named = truth?.mentions.get(id)
    const found = new Set<number>()
    for (const region of picture.regions) {
      if (region.phrase !== at) continue
      const meant = truth && named && meantBy(region, phrase, truth, named)
      const hits = (meant ?? []).filter((object) => overlaps(truth, object, region.xyxy))
      if (isWhole(region, phrase)) for (const object of hits) found.add(object)
      const isUnsure = hits.length === 0 && liesIn(region.xyxy, truth?.unsure?.get(id) ?? [])
      labels.push({
        score: region.score,
        kinds: kindsOf(phrase, region, meant),
        ...(truth &&
          meant &&
          !isUnsure && { right: hits.length > 0, chance: chanceOf(meant.length, truth.objects.length) }),
        ...(named?.length === 0 && { unnamed: phrase.head }),
      })
    }
    if (named && named.length > 0)
      phrases.push({ kinds: kindsOf(phrase, phrase, named), named: named.length, found: found.size })
  }
  const unasked = [...(truth?.mentions.keys() ?? [])].filter((id) => !asked.has(id)).length
  return { labels, phrases, hasTruth: truth !== undefined, unasked }
}

/** Share of a picture's objects; none of none. */
const chanceOf = (named: number, objects: number) => (objects === 0 ? 0 : named / objects)

function overlaps(truth: PictureTruth | undefined, object: number, box: Xyxy): boolean {
  const xyxy = truth?.objects[object]?.xyxy
  return xyxy !== undefined && iou(xyxy, box) >= leastIou
}

/** Whether a region's words are the whole phrase, with a tail or without. */
const isWhole = (region: Region, phrase: Phrase) => region.start <= phrase.start && region.end >= phrase.end

/**
 * The objects that a region's words name: those of its phrase; where the words are a part of it, such as its
 * head alone, all of the same category. Undefined where the truth does not say.
 */
function meantBy(
  region: Region,
  phrase: Phrase,
  { objects, mentions }: PictureTruth,
  named: readonly number[],
): readonly number[] | undefined {
  const own = mentions.get(spanKey(region.caption, region.start, region.end))
  if (own || isWhole(region, phrase)) return own ?? named
  const categories = new Set(named.map((object) => objects[object]?.category))
  if (categories.has(undefined)) return undefined
  return objects.flatMap(({ category }, at) => (categories.has(category) ? [at] : []))
}
