import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SessionPool } from '../../src/graph/session-pool.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a model that does not fit its folder', () => {
  // What each is refused for is found when its sessions are open.
  it.each([
    ['owlvit', 'tokenizer.json', '{}', /tokenizer\.json is not a tokenizer/],
    ['owlv2', 'tokenizer.json', '{}', /tokenizer\.json is not a tokenizer/],
    [
      'grounding-dino',
      'config.json',
      '{"model_type": "grounding-dino", "max_text_len": 1}',
      /max_text_len is 1/,
    ],
  ])('leaves no session of %s open', async (family, file, text, message) => {
    const folder = await temporaryFolder()
    await cp(fileURLToPath(new URL(`fixtures/${family}`, import.meta.url)), folder, { recursive: true })
    await writeFile(join(folder, file), text)
    const opened = vi.spyOn(SessionPool, 'open')
    const closed = vi.spyOn(SessionPool.prototype, 'close')
    await expect(openTeacher(folder, { threads: 1 })).rejects.toThrow(message)
    expect(opened.mock.calls.length).toBeGreaterThan(0)
    expect(closed).toHaveBeenCalledTimes(opened.mock.calls.length)
  })
})
