import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { createDataset, isDataset, readDataset, replaceDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('dataset.json', () => {
  it('is read back', async () => {
    const storage = openStorage(await temporaryFolder())
    expect(await isDataset(storage)).toBe(false)
    await createDataset(storage, { name: 'n', card: { licence: 'CC0' }, shards: ['00000'] })
    expect(await isDataset(storage)).toBe(true)
    expect(await readDataset(storage)).toEqual({
      schemaVersion: 2,
      name: 'n',
      card: { licence: 'CC0' },
      shards: ['00000'],
    })
  })

  it('is refused when missing, malformed or newer, with what to do', async () => {
    const storage = openStorage(await temporaryFolder())
    const refusal = async (text: string) => {
      await writeFile(storage.path('dataset.json'), text)
      return readDataset(storage).catch((error: unknown) => error)
    }
    await expect(readDataset(storage)).rejects.toThrow(
      /is not a dataset: .*dataset\.json is missing\. Run an ingest stage/,
    )
    for (const [text, message] of [
      ['{"schemaVersion": 3, "name": "n"}', /dataset\.json has schema version 3.*update groundmill/],
      ['{"schemaVersion": 1, "name": "n", "card": null}', /dataset\.json: shards:/],
      ['{"schemaVersion": "1", "name": "n", "card": null, "shards": []}', /dataset\.json: schemaVersion:/],
      ['{"schemaVersion": "3", "name": "n", "card": null, "shards": []}', /dataset\.json: schemaVersion:/],
      ['[]', /dataset\.json: expected keys with values/],
      ['null', /dataset\.json: expected keys with values/],
      ['{', /dataset\.json is not JSON \(.*\): delete it and run the ingest stage again/],
    ] as const) {
      const error = await refusal(text)
      expect(error).toBeInstanceOf(UserError)
      expect((error as Error).message).toMatch(message)
    }
  })
})

describe('dataset.json of a source that has changed', () => {
  const info = { name: 'n', card: null, shards: ['00000'] }
  const more = { ...info, shards: ['00000', '00001'] }
  const known = { schemaVersion: 2, ...info }

  it('is created once, and replaced where it still is what was known', async () => {
    const storage = openStorage(await temporaryFolder())
    expect(await replaceDataset(storage, known, more)).toBe(false)
    expect(await isDataset(storage)).toBe(false)
    expect(await createDataset(storage, info)).toBe(true)
    expect(await createDataset(storage, more)).toBe(false)
    expect(await replaceDataset(storage, { ...known, name: 'other' }, more)).toBe(false)
    expect(await readDataset(storage)).toEqual(known)
    expect(await replaceDataset(storage, known, more)).toBe(true)
    expect(await readDataset(storage)).toEqual({ ...known, ...more })
  })

  it('stays where another process replaces it at that instant', async () => {
    const storage = openStorage(await temporaryFolder())
    await createDataset(storage, info)
    const racing: Storage = {
      ...storage,
      async swap(...given) {
        expect(await replaceDataset(storage, known, { ...info, name: 'first' })).toBe(true)
        return storage.swap(...given)
      },
    }
    expect(await replaceDataset(racing, known, more)).toBe(false)
    expect((await readDataset(storage)).name).toBe('first')
  })
})
