import { utimes } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { parsePipeline } from '../../../src/pipeline/read-pipeline.js'
import { currentPipeline } from '../../../src/pipeline/tasks/current-pipeline.js'
import type { KnownPresence } from '../../../src/pipeline/tasks/read-presences.js'
import {
  hasStoredPipeline,
  lastPipeline,
  pipelineFolder,
  readStoredPipeline,
  storePipeline,
} from '../../../src/pipeline/tasks/stored-pipeline.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { s3Server } from '../../helpers/s3-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const server = await s3Server()
const folder = async () => openStorage(await temporaryFolder())
const pipelineOf = (name: string) =>
  parsePipeline({ name, stages: [{ name: 'web', uses: 'ingest', with: { format: 'tsv', path: 'l.tsv' } }] })
/** Stores pipelines one after another; their hashes. */
async function store(run: Storage, ...names: readonly string[]) {
  const hashes: string[] = []
  for (const name of names) hashes.push(await storePipeline(run, await pipelineOf(name)))
  return hashes as [string, string, string]
}
const fileOf = (hash: string) => `${pipelineFolder}/${hash}.json`
const said = (pipeline: string, second: number, state: KnownPresence['state'] = 'alive') =>
  ({ pipeline, state, beat: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString() }) as KnownPresence
const nameOf = async (run: Storage, ...presences: readonly KnownPresence[]) =>
  (await currentPipeline(run, presences))?.pipeline.name

describe('the pipeline of a run', () => {
  it('is that of the process that said something last, those that live first', async () => {
    const run = await folder()
    const [a, b, c] = await store(run, 'a', 'b', 'c')
    expect(await nameOf(run)).toBe('c')
    expect(await currentPipeline(run, [said(a, 3), said(b, 9), said(a, 5)])).toMatchObject({
      ...{ hash: b, pipeline: { name: 'b' } },
    })
    expect(await nameOf(run, said(a, 9), said(b, 3))).toBe('a')
    expect(await nameOf(run, said(b, 9, 'ended'), said(a, 3, 'silent'), said(c, 8, 'dead'))).toBe('a')
    expect(await nameOf(run, said(b, 9, 'ended'), said(a, 3, 'ended'))).toBe('b')
  })

  it('is the one that it was begun with last, where nobody says a word', async () => {
    for (const run of [await folder(), openStorage(server.url('run'))]) {
      const [a] = await store(run, 'a', 'b', 'a')
      expect(await nameOf(run)).toBe('a')
      expect(await lastPipeline(run)).toBe(a)
      expect(await nameOf(run, said('f'.repeat(64), 1))).toBe('a')
    }
  })

  it('is the one stored last in a run of an older version, and never one that is damaged', async () => {
    const run = await folder()
    const [a, b, c] = await store(run, 'a', 'b', 'c')
    await run.remove('.groundmill/last-pipeline')
    expect(await lastPipeline(run)).toBeUndefined()
    for (const [hash, second] of [
      [a, 30],
      [b, 50],
      [c, 40],
    ] as const)
      await utimes(run.path(fileOf(hash)), second, second)
    await run.write(`${pipelineFolder}/notes.txt`, 'none')
    expect(await nameOf(run)).toBe('b')
    await run.write(fileOf(b), '{}')
    expect(await nameOf(run)).toBe('c')
    await run.remove(fileOf(c))
    expect(await nameOf(run)).toBe('a')
    await run.remove(fileOf(a))
    expect(await nameOf(run)).toBeUndefined()
  })
})

describe('a stored pipeline', () => {
  it('is read as it was stored', async () => {
    const run = await folder()
    const [hash] = await store(run, 'a')
    expect([await hasStoredPipeline(run, hash), await hasStoredPipeline(run, 'f')]).toEqual([true, false])
    const { name, stages } = await pipelineOf('a')
    expect(await readStoredPipeline(run, hash)).toEqual({ name, stages })
    expect(await storePipeline(run, { ...(await pipelineOf('a')), description: 'another' })).toBe(hash)
  })

  it('says last which one was begun, and writes that only where it changes', async () => {
    const run = await folder()
    const written: string[] = []
    const watched: Storage = {
      ...run,
      write: (name, bytes) => {
        written.push(name)
        return run.write(name, bytes)
      },
    }
    await store(watched, 'a', 'a', 'b')
    expect(written).toHaveLength(2)
  })

  it('is refused where it is gone, damaged, or none', async () => {
    const run = await folder()
    const [hash] = await store(run, 'a')
    await expect(readStoredPipeline(run, 'f'.repeat(64))).rejects.toThrow(UserError)
    await expect(readStoredPipeline(run, 'f'.repeat(64))).rejects.toThrow('has no pipeline')
    await run.write(fileOf(hash), '{}')
    await expect(readStoredPipeline(run, hash)).rejects.toThrow('is damaged')
  })
})
