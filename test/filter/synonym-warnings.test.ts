import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFilter } from '../../src/filter/filter-proposals.js'
import { openPlainTools } from '../../src/filter/open-tools.js'
import { ruleSchema } from '../../src/filter/rules.js'
import { synonymWarnings } from '../../src/filter/synonym-warnings.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { commonNames } from '../../src/words/common-names.js'
import { ownSynonyms, readSynonyms, synonymsPath } from '../../src/words/read-synonyms.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const label = (synonyms: unknown, common = false) => ruleSchema.parse({ rule: 'label', synonyms, common })

describe('lists of synonyms', () => {
  it('that come with the program have words for what they are named after', async () => {
    const counts = await Promise.all(
      ownSynonyms.map(async (name) => Object.keys(await readSynonyms(name)).length),
    )
    expect(counts).toEqual([80, 1203, 365])
    const [coco, lvis, objects] = await Promise.all(ownSynonyms.map(readSynonyms))
    expect(coco?.person).toEqual(expect.arrayContaining(['woman', 'skier', 'goalkeeper']))
    expect(coco?.couch).toContain('sofa')
    expect(lvis?.television_set).toEqual(expect.arrayContaining(['tv', 'television']))
    expect(objects?.['Moniter/TV']).toEqual(expect.arrayContaining(['monitor', 'tv', 'television']))
    // The list of COCO has all that the rule knows without it.
    for (const [category, words] of Object.entries(coco ?? {}))
      for (const word of commonNames.get(category) ?? []) expect(words, category).toContain(word)
  })

  it('name the boxes of a detector, by a name or a file, whatever stands between the words of a label', async () => {
    const path = join(await temporaryFolder(), 'mine.yaml')
    await writeFile(path, 'traffic-light: [stoplight]\n')
    const phrase = { caption: 0, start: 0, end: 1 }
    const image = {
      ...{ key: '0', width: 100, height: 100, negatives: [], labels: ['person', 'traffic_light'] },
      phrases: [
        { ...phrase, text: 'a goalkeeper', head: 'goalkeeper' },
        { ...phrase, text: 'a stoplight', head: 'stoplight' },
      ],
    }
    const box = (at: number, name: string) => ({
      phrase: at,
      xyxy: [0, 0, 9, 9] as const,
      score: 0.9,
      label: name,
    })
    const boxes = [box(0, 'person'), box(1, 'traffic_light'), box(1, 'person')]
    const dataset = { storage: openStorage(path), shards: [] }
    const kept = async (synonyms: unknown) => {
      const rules = [label(synonyms)]
      const tools = await openPlainTools(dataset, rules, 'phrases')
      return createFilter(rules, tools)(boxes, image).kept.map(({ phrase: of, label: by }) => `${of} ${by}`)
    }
    expect(await kept({})).toEqual([])
    expect(await kept('coco')).toEqual(['0 person', '1 traffic_light'])
    expect(await kept(path)).toEqual(['1 traffic_light'])
    expect(() => synonymsPath('cocoo')).toThrow(/lists that come with groundmill are coco, lvis, objects365/)
    expect(() => synonymsPath('no/such.yaml')).toThrow(/no such file/)
  })

  it('are warned of: labels that a detector has not, words at several labels, labels without words', async () => {
    const labels = ['person', 'traffic light', 'snail']
    const odd = { persn: ['man'], Traffic_Light: ['light', 'lamp'], snail: ['lamp'] }
    expect(await synonymWarnings([label(odd)], labels)).toEqual([
      expect.stringMatching(/the detector has no label "?persn \(person\?\)"? \(1 of 3; it has 3\)/),
      expect.stringMatching(/lamp \(Traffic_Light and snail\)/),
    ])
    expect(await synonymWarnings([label({ person: ['man'] })], labels)).toEqual([])
    expect(await synonymWarnings([label('coco')], labels)).toEqual([
      expect.stringMatching(/the list coco has no words for 1 of the 3 labels of the detector: snail\./),
    ])
    expect(await synonymWarnings([label('coco')], ['person'])).toEqual([])
    expect(await synonymWarnings([label({ persn: ['man'] })], undefined)).toEqual([])
  })
})
