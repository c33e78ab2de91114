import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pinModel } from '../../../src/pipeline/records/pinned-model.js'
import { tellOfChangedModel } from '../../../src/pipeline/stages/changed-model.js'
import type { StageContext } from '../../../src/pipeline/stages/stage-context.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { putShard } from '../../helpers/put-shard.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describe('a stage whose model lies in a folder of somebody', () => {
  it('says before its shards are made anew that the model has changed, and in which files', async () => {
    const run = openStorage(await temporaryFolder())
    const storage = openStorage(run.path('web'))
    const shards = ['00000', '00001', '00002']
    const rows = [{ key: 'a', proposals: [], teacher: 'owl' }]
    // The first has not been made yet.
    for (const shard of shards.slice(1))
      await putShard(storage, 'proposals', 'label', shard, rows, { model: 'before', teacher: 'owl' })
    const config = { 'config.json': 'c' }
    await pinModel(run, 'before', '/models/owl', { ...config, 'onnx/model.onnx': 'a' })
    await pinModel(run, 'now', '/models/owl', { ...config, 'onnx/model.onnx': 'b' })
    const said = async (hash: string, name = 'owl', outputs = new Map()) => {
      const notices: string[] = []
      const context = { run, outputs, notice: (text: string) => notices.push(text) }
      await tellOfChangedModel(
        { name: 'label', uses: 'teach', needs: [], with: { model: '/models/owl' } },
        'proposals',
        { name: 'web', storage, shards },
        { folder: '/models/owl', name, hash },
        context as unknown as StageContext,
      )
      return notices
    }
    expect(await said('before')).toEqual([])
    const [notice] = await said('now')
    expect(notice).toMatch(
      /^\/models\/owl has changed \(onnx\/model\.onnx\) since "label" was made with it: its SHA-256 was before, and is now\. All of "label" is made anew/,
    )
    // Of a third nothing is known but its hash.
    expect((await said('third'))[0]).toMatch(/^\/models\/owl has changed since "label"/)
    // Another model was meant, or one that a stage has made.
    expect(await said('now', 'dino')).toEqual([])
    expect(await said('now', 'owl', new Map([['/models/owl', { model: {} }]]))).toEqual([])
  })

  describe('that is told of', () => {
    const model = { folder: '/models/owl', name: 'owl', hash: 'now' }

    /** What is said of a stage whose shard was made with this. */
    async function saidOf(
      inputs: Readonly<Record<string, string>>,
      given: { readonly model?: object; readonly with?: object; readonly run?: 'none'; pinned?: object } = {},
    ) {
      const run = openStorage(await temporaryFolder())
      const storage = openStorage(run.path('web'))
      await putShard(
        storage,
        'proposals',
        'label',
        '00000',
        [{ key: 'a', proposals: [], teacher: 'owl' }],
        inputs,
      )
      await pinModel(run, 'before', '/models/owl', { 'config.json': 'c', 'old.onnx': 'a' })
      await pinModel(run, 'now', '/models/owl', { 'config.json': 'c', ...given.pinned })
      const notices: string[] = []
      const context = {
        run: given.run === 'none' ? undefined : run,
        ...{ outputs: new Map(), notice: (text: string) => notices.push(text) },
      }
      await tellOfChangedModel(
        { name: 'label', uses: 'teach', needs: [], with: given.with ?? { model: '/models/owl' } },
        'proposals',
        { name: 'web', storage, shards: ['00000'] },
        { ...model, ...given.model },
        context as unknown as StageContext,
      )
      return notices
    }
    const made = { model: 'before', teacher: 'owl' }

    it('names the files that one of both has alone, and none where there are none or nothing is known', async () => {
      expect((await saidOf(made, { pinned: { 'new.onnx': 'b' } }))[0]).toContain('(old.onnx, new.onnx)')
      expect((await saidOf(made, { pinned: { 'old.onnx': 'a' } }))[0]).toContain(
        '/models/owl has changed since',
      )
      expect((await saidOf(made, { run: 'none' }))[0]).toContain('/models/owl has changed since')
    })

    it('is none that a stage has made or gives, nor one of which the records say nothing', async () => {
      const folder = await temporaryFolder()
      expect(await saidOf(made, { model: { folder } })).toHaveLength(1)
      await writeFile(join(folder, 'record.json'), '{}')
      expect(await saidOf(made, { model: { folder } })).toEqual([])
      expect(await saidOf(made, { with: {} })).toEqual([])
      expect(await saidOf({ teacher: 'owl' })).toEqual([])
      expect(await saidOf({ model: 'before' })).toEqual([])
    })
  })
})
