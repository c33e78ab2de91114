import { toldBy } from './index/index-part.js'
import { type ImageShard, type Inspected, type Layer, placeOf, rowOf, type Told } from './index/layer.js'
import type { RowGroups } from './row-groups.js'
import type { SampleReader } from './sample-reader.js'
import type { Sample, SampleBox } from './view/answers.js'
import { isKept, thresholdOf } from './view/threshold.js'
import type { View } from './view/view.js'

/** Samples of a layer with what the truth says of each box that is kept, and the boxes that it misses. */
export async function judgedSamples(
  { judge, shards }: Pick<Inspected, 'judge' | 'shards'>,
  { samples, groups }: { readonly samples: SampleReader; readonly groups: RowGroups },
  places: readonly number[],
  {
    layer,
    truth,
    view,
  }: { readonly layer: Layer; readonly truth: Layer; readonly view: Pick<View, 'threshold'> },
): Promise<Sample[]> {
  const threshold = thresholdOf(view, layer)
  const judged: Sample[] = []
  for (const sample of await samples.read(places, layer)) {
    const told = await toldOf(groups, shards, truth, sample)
    const targets = judge.targets(sample.phrases, told, truth.isByCategory)
    const kept = sample.boxes
      .filter(({ from, to }) => isKept(from, to, threshold))
      .sort((a, b) => b.score - a.score)
    const answers = judge.boxes(kept, targets)
    const verdicts = new Map(answers.map(({ box, right }) => [box, right ? 'right' : 'wrong'] as const))
    const found = new Set(answers.flatMap(({ target }) => (target ? [target.join()] : [])))
    const missed = new Map<string, { readonly text: string; readonly xyxy: SampleBox['xyxy'] }>()
    for (const [at, { boxes = [] }] of targets.entries()) {
      for (const xyxy of boxes) {
        const name = xyxy.join()
        if (!found.has(name) && !missed.has(name))
          missed.set(name, { text: sample.phrases[at]?.text ?? '', xyxy: [...xyxy] })
      }
    }
    judged.push({
      ...sample,
      verdicts: sample.boxes.map((box) => verdicts.get(box) ?? null),
      missed: [...missed.values()],
    })
  }
  return judged
}

async function toldOf(
  groups: RowGroups,
  shards: readonly ImageShard[],
  truth: Layer,
  { id }: Pick<Sample, 'id'>,
): Promise<Told> {
  const { shard, row } = placeOf(shards, rowOf(shards, id) ?? 0)
  const stored = await groups.row(truth, shard, row)
  return stored ? toldBy(truth, stored, stored.captions) : { captions: [], phrases: [], regions: [] }
}
