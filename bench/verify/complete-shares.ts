import type { FindTruth } from '../../src/audit/coco-truth.js'
import { spanKey } from '../../src/audit/truth.js'
import { iou } from '../../src/boxes/iou.js'
import { leastIou } from '../../src/boxes/match-boxes.js'
import { joinRows } from '../../src/shards/join-rows.js'
import type { Storage } from '../../src/storage/storage.js'
import { acceptedFrom, thingsOf } from '../../src/verify/network/set-facts.js'

/** How often it is rightly said of a phrase whether the boxes that a judge accepts are all that it names. */
export async function completeShares(
  { storage, shards }: { readonly storage: Storage; readonly shards: readonly string[] },
  { phrases, verdicts }: { readonly phrases: string; readonly verdicts: string },
  truthOf: FindTruth,
) {
  const said: { readonly yes: boolean; readonly is: boolean }[] = []
  for (const shard of shards)
    for await (const row of joinRows(storage, shard, {
      images: { columns: ['captions', 'url', 'meta', 'width', 'height'] },
      phrases: { stage: phrases, columns: ['phrases'] },
      verdicts: { stage: verdicts },
    })) {
      const truth = truthOf(row.images)
      if (!truth) continue
      row.phrases.phrases.forEach(({ caption, start, end }, phrase) => {
        const named = truth.mentions.get(spanKey(caption, start, end))
        const own = row.verdicts.verdicts.filter((verdict) => verdict.phrase === phrase)
        const whole = own.find(({ xyxy }) => xyxy === null)
        if (!named || !whole) return
        const boxes = own.flatMap(({ xyxy, probability }) => (xyxy ? [{ xyxy, probability }] : []))
        const accepted = thingsOf(boxes).filter(({ probability }) => probability >= acceptedFrom)
        const isThere = (object: number) =>
          accepted.some(({ xyxy }) => iou(xyxy, truth.objects[object]!.xyxy) >= leastIou)
        said.push({ yes: whole.probability >= 0.5, is: named.every(isThere) })
      })
    }
  const share = (
    items: readonly { readonly yes: boolean; readonly is: boolean }[],
    is: (one: (typeof said)[number]) => boolean,
  ) => (items.length === 0 ? 0 : items.filter(is).length / items.length)
  const found = share(said, ({ is }) => is)
  return {
    phrases: said.length,
    rightly: share(said, ({ yes, is }) => yes === is),
    precision: share(
      said.filter(({ yes }) => yes),
      ({ is }) => is,
    ),
    chance: Math.max(found, 1 - found),
  }
}
