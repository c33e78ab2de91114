/**
 * Applies two filters to the proposals of a dataset, in memory, and says what the second one changes:
 *
 *     npx tsx examples/refilter.ts runs/quickstart/web phrases round-1-label
 *
 * The arguments are a dataset and the names of its stages with phrases and with proposals.
 */
import { joinRows, openDataset } from 'groundmill/dataset'
import { type Candidate, compareRegions, createFilter, type FilterImage } from 'groundmill/filter'

const [dataset = 'runs/quickstart/web', phraseStage = 'phrases', teachStage = 'round-1-label'] =
  process.argv.slice(2)

const nms = { rule: 'nms', iou: 0.5 } as const
const loose = createFilter([{ rule: 'score', min: 0.3 }, nms])
const strict = createFilter([{ rule: 'score', min: 0.5 }, nms])

/** Boxes as a grounding has them: with the span of their phrase. */
const regionsOf = (kept: readonly Candidate[], { phrases }: FilterImage) =>
  kept.map(({ phrase, xyxy, score }) => {
    const { caption = 0, start = 0, end = 0 } = phrases[phrase] ?? {}
    return { caption, phrase, start, end, xyxy, score, origin: 'example' }
  })

const counts = { kept: 0, lost: 0, added: 0 }
const { storage, shards } = await openDataset(dataset)
for (const shard of shards) {
  const rows = joinRows(storage, shard, {
    images: { columns: ['width', 'height'] },
    phrases: { stage: phraseStage },
    proposals: { stage: teachStage },
  })
  for await (const { images, phrases, proposals } of rows) {
    const image = { ...images, phrases: phrases.phrases }
    const before = regionsOf(loose(proposals.proposals, image).kept, image)
    const after = regionsOf(strict(proposals.proposals, image).kept, image)
    const changes = compareRegions(before, after)
    for (const what of ['kept', 'lost', 'added'] as const) counts[what] += changes[what].length
  }
}
console.log(counts)
