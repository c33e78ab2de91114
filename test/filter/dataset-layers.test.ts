import { describe, expect, it } from 'vitest'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { filterConfig, proposalRules } from '../../src/filter/config.js'
import { datasetLayers } from '../../src/filter/dataset-layers.js'
import { groundingOrigin } from '../../src/filter/grounding-origin.js'
import { readCommit } from '../../src/shards/commit.js'
import { commit, makeInspectDataset, secondRules } from '../helpers/inspect-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('what a dataset says of its groundings', () => {
  it('is the rules and proposals they were made of, and a threshold that moves where both are known', async () => {
    const { url, storage, shards } = await makeInspectDataset(await temporaryFolder(), { pictures: 4 })
    const shard = shards[0] as string
    const phrases = (await readCommit(storage, 'phrases', 'phrases', shard))?.files.phrases?.sha256 ?? ''
    // Proposals that nobody has filtered; a grounding of an older version; and one whose proposals are gone.
    await commit(storage, 'unfiltered', shard, 'proposals', { proposals: [] }, { phrases })
    await commit(storage, 'old', shard, 'grounding', { grounding: [] }, { phrases })
    const dataset = await openDataset(url)

    const { rules } = filterConfig.parse({})
    const besides = { others: [], verdicts: [] }
    expect(await groundingOrigin(dataset, 'round-1-filter')).toEqual({
      ...{ rules, proposals: 'round-1-label', besides },
    })
    const second = { rules: secondRules, proposals: 'round-2-label', besides }
    expect(await groundingOrigin(dataset, 'round-2-filter')).toEqual(second)
    const nothing = { rules: undefined, proposals: undefined }
    expect(await groundingOrigin(dataset, 'old')).toEqual({ ...nothing, besides })
    expect(await groundingOrigin(dataset, 'never')).toEqual(nothing)

    const { layers, missing } = await datasetLayers(dataset)
    expect(missing).toEqual([])
    const told = layers.map(({ name, kind, rules: own, threshold, isExact, passing }) => {
      return [name, kind, own, threshold, isExact, passing !== null]
    })
    expect(told).toEqual(
      expect.arrayContaining([
        ['round-1-filter', 'filter', rules, 0.5, true, true],
        ['round-2-filter', 'filter', secondRules, 0.4, true, true],
        ['old', 'filter', null, 0, false, false],
        ['unfiltered', 'proposals', proposalRules, 0.5, true, true],
      ]),
    )
    expect(layers).toHaveLength(4)
    expect(layers.find(({ name }) => name === 'old')?.note).toMatch(/made by an older version/)
    expect(layers.find(({ name }) => name === 'unfiltered')?.note).toMatch(/no filter has been run over/)
  })
})
