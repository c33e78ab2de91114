import { expect, it } from 'vitest'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { openInspected } from '../../src/cli/inspect.js'
import { compareGroundings } from '../../src/filter/compare-groundings.js'
import type { Inspected, Layer } from '../../src/inspect/index/layer.js'
import { openReaders } from '../../src/inspect/open-readers.js'
import { labelOf, relabelledText } from '../../src/inspect/page/picture/label-of.js'
import { firstView } from '../../src/inspect/view/view.js'
import { filteredColours, phrasesIn, taughtColours } from '../helpers/colour-teacher.js'

const caption = 'a red ball and a cup'
const phrases = phrasesIn(caption, ['a red ball', 'ball'], ['a cup', 'cup'])

it('the page shows what is left of a label, and counts it as the comparison does', async () => {
  const storage = await taughtColours([{ caption, phrases }], { reads: false, contrast: 1 })
  const score = { rule: 'score', min: 0.5 }
  await filteredColours(storage, 'plain', [score])
  await filteredColours(storage, 'told', [score, { rule: 'contrast' }])
  const { dataset } = await openInspected(storage.url)
  expect(dataset.funnel.find(({ stage }) => stage === 'told')?.relabelled).toEqual([['contrast', 2]])

  // Once by its rules, and once as a layer whose rules are not known and whose regions are shown as stored.
  const told = dataset.layers.find(({ name }) => name === 'told') as Layer
  const stored: Layer = {
    ...told,
    ...{ name: 'stored', boxes: { family: 'grounding', stage: 'told' }, passing: null },
  }
  const inspected: Inspected = { ...dataset, layers: [...dataset.layers, stored] }
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const { index, views, close } = openReaders(inspected, turn)
  const textsOf = async (layer: string) => {
    const { samples } = await views.samples({ ...firstView, grounding: layer })
    return samples.flatMap((sample) =>
      sample.boxes.map((box) => [labelOf(sample, box), relabelledText(sample, box)]),
    )
  }
  const cups = [
    ['a cup', undefined],
    ['a cup', undefined],
  ]
  const balls = (text: string) => [
    ['ball', text],
    ['ball', text],
  ]
  expect(await textsOf('told')).toEqual([...balls('as “ball” (relabelled: contrast)'), ...cups])
  expect(await textsOf('stored')).toEqual([...balls('as “ball” (relabelled)'), ...cups])

  for (const layer of dataset.layers) index.want(layer)
  while (dataset.layers.some((layer) => index.progress(layer).isBusy)) await turn()
  const view = { ...firstView, tab: 'compare', grounding: 'told', against: 'plain' } as const
  const { sums } = await compareGroundings(await openDataset(storage.url), ['plain', 'told'], { top: 0 })
  const { kept, moved, lost, added } = sums
  expect((await views.counts(view))?.changes).toMatchObject({ kept, moved, lost, added, pictures: 1 })
  expect({ kept, lost, added }).toEqual({ kept: 2, lost: 2, added: 2 })
  const { samples } = await views.samples(view)
  expect(samples[0]?.changes).toEqual(['alone', 'alone', 'same', 'same'])
  await close()
})
