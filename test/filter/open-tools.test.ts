import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashJson } from '../../src/base/hash.js'
import { UserError } from '../../src/base/user-error.js'
import { readCalibration, writeCalibration } from '../../src/filter/calibration-file.js'
import {
  fileSources,
  hashTools,
  openPlainTools,
  openTools,
  type ToolSources,
} from '../../src/filter/open-tools.js'
import type { RuleConfig } from '../../src/filter/rules.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const file = {
  version: 1,
  teacher: 'teacher',
  calibration: { method: 'temperature', temperature: 2 },
  judged: 3,
  ece: { before: 0.2, after: 0.1 },
  bins: [],
} as const

/**
 * Sources that open models which say when they are opened and closed; folders named "missing" are not there.
 */
function sources(said: string[]): ToolSources {
  const source = <Tool>(tool: Tool) => ({
    hash: async (path: string) => `hash of ${path}`,
    async open(path: string) {
      if (path === 'missing') throw new UserError('no such folder')
      said.push(`open ${path}`)
      return { ...tool, close: async () => void said.push(`close ${path}`) }
    },
  })
  return {
    ...fileSources,
    embedders: source({ embed: async () => [] }),
    scorers: source({ score: async () => [] }),
  }
}

const agreement = (model: string): RuleConfig => ({ rule: 'agreement', model, min: 0.5, best: true })
const clip = (model: string): RuleConfig => ({ rule: 'clip', model, template: '{}', min: 0.5 })
const calibrate = (path: string): RuleConfig => ({ rule: 'calibrate', file: path, any_teacher: false })

describe('what rules ask for', () => {
  it('is hashed by rule and path, and opened once, until it is closed', async () => {
    const path = join(await temporaryFolder(), 'teacher.json')
    await writeCalibration(path, file)
    const rules = [agreement('words'), calibrate(path), clip('clip'), agreement('words')]
    const said: string[] = []
    expect(Object.entries(await hashTools(rules, sources(said)))).toEqual([
      ['agreement words', 'hash of words'],
      [`calibrate ${path}`, hashJson(await readCalibration(path))],
      ['clip clip', 'hash of clip'],
    ])
    const { tools, close } = await openTools(rules, sources(said))
    expect(said).toEqual(['open words', 'open clip'])
    expect(tools.calibrations?.get(path)).toEqual(file)
    expect([...(tools.embedders?.keys() ?? []), ...(tools.scorers?.keys() ?? [])]).toEqual(['words', 'clip'])
    await close()
    expect(said.slice(2)).toEqual(['close words', 'close clip'])
  })

  it('is closed again where the rest cannot be opened', async () => {
    const said: string[] = []
    await expect(openTools([agreement('words'), clip('missing')], sources(said))).rejects.toThrow('no such')
    expect(said).toEqual(['open words', 'close words'])
  })

  it('is opened without the teacher room where no rule asks a model', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'teacher.json')
    await writeCalibration(path, file)
    const dataset = { storage: openStorage(folder), shards: [] }
    const tools = await openPlainTools(dataset, [calibrate(path)], 'chunk')
    expect(tools.calibrations?.get(path)).toEqual(file)
    expect(tools.frequency).toBeUndefined()
    const rare: RuleConfig = {
      rule: 'frequency_score',
      bounds: [1, 2],
      rare: 0.1,
      common: 0.2,
      frequent: 0.3,
    }
    expect((await openPlainTools(dataset, [rare], 'chunk')).frequency).toEqual(new Map())
    await expect(openPlainTools(dataset, [clip('clip')], 'chunk')).rejects.toThrow(
      'nothing here opens scorers',
    )
    await expect(openPlainTools(dataset, [calibrate('none.json')], 'chunk')).rejects.toThrow(UserError)
  })
})
