import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCalibration, writeCalibration } from '../../src/filter/calibration-file.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const file = {
  version: 1,
  teacher: 'toy',
  calibration: { method: 'isotonic', scores: [0.1, 0.4, 0.4], shares: [0, 0.5, 0.5] },
  judged: 7,
  ece: { before: 0.2, after: 0.1 },
  bins: [{ count: 7, score: 0.3, right: 0.5 }],
} as const

describe('the file of a calibration', () => {
  it('is read as it was written', async () => {
    const path = join(await temporaryFolder(), 'calibration.json')
    await writeCalibration(path, file)
    expect(await readCalibration(path)).toEqual(file)
    const temperature = { ...file, calibration: { method: 'temperature', temperature: 2 } } as const
    await writeCalibration(path, temperature)
    expect(await readCalibration(path)).toEqual(temperature)
  })

  it.each([
    ['knots that fall', { method: 'isotonic', scores: [0.4, 0.1], shares: [0, 0.5] }, 'calibration.scores: '],
    [
      'knots of which the last falls',
      { method: 'isotonic', scores: [0.1, 0.4, 0.3], shares: [0, 0, 0] },
      'scores: ',
    ],
    [
      'shares that fall',
      { method: 'isotonic', scores: [0.1, 0.4], shares: [0.5, 0] },
      'calibration.shares: ',
    ],
    ['fewer shares than scores', { method: 'isotonic', scores: [0.1, 0.4], shares: [0.5] }, 'calibration: '],
    ['no knots', { method: 'isotonic', scores: [], shares: [] }, 'calibration.scores: '],
    ['a temperature of 0', { method: 'temperature', temperature: 0 }, 'calibration.temperature: '],
    ['another method', { method: 'guess' }, 'calibration.method: '],
  ])('is refused with %s', async (_, calibration, place) => {
    const path = join(await temporaryFolder(), 'calibration.json')
    await writeFile(path, JSON.stringify({ ...file, calibration }))
    await expect(readCalibration(path)).rejects.toThrow(place)
    await expect(readCalibration(path)).rejects.toThrow('is not a calibration')
  })

  it('is refused where it is none, or not there', async () => {
    const folder = await temporaryFolder()
    await expect(readCalibration(join(folder, 'none.json'))).rejects.toThrow(
      /^The calibration: Cannot read .*none\.json: there is no such file or folder\.$/,
    )
    const path = join(folder, 'calibration.json')
    await writeFile(path, '{')
    await expect(readCalibration(path)).rejects.toThrow('is not JSON')
    await writeFile(path, '[]')
    await expect(readCalibration(path)).rejects.toThrow('the file: ')
  })
})
