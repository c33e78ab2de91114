import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDuckDb } from '../../src/query/open-duckdb.js'
import { watchMemory } from '../../src/query/watch-memory.js'
import { runBounded } from '../helpers/bounded.js'
import { compiled } from '../helpers/compiled.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

describe('a query', () => {
  it('that needs more than its limit of memory is told so, without advice that nobody can follow', async () => {
    const { connection, explain, close } = await openDuckDb([], [], undefined, '40MB')
    try {
      const error = await connection.run('select list(range) from range(30000000)').catch(explain)
      expect(error).toMatchObject({ name: 'UserError' })
      expect((error as Error).message).toBe(
        'The query needs more than 40MB of memory, which is its limit: ask for fewer rows or columns at a time.',
      )
    } finally {
      await close()
    }
  })

  it('that takes memory which DuckDB does not count is interrupted', async () => {
    let interrupted = 0
    const interrupt = () => {
      interrupted++
    }
    const watch = watchMemory(interrupt, folder, { interruptAt: 60e6, killAt: 1e12 })
    try {
      expect(watch.failure).toBe(undefined)
      const taken = Buffer.alloc(120e6, 1)
      while (interrupted === 0) await new Promise((wake) => setTimeout(wake, 20))
      expect(taken.length).toBe(120e6)
      expect(watch.failure?.message).toContain('takes more than 0.06 GB of memory')
    } finally {
      watch.stop()
    }
  })

  it('that cannot be interrupted ends the program, in words', async () => {
    const temporary = join(folder, 'temporary')
    await mkdir(temporary)
    const program = join(folder, 'watched.mjs')
    await writeFile(
      program,
      `import { watchMemory } from ${JSON.stringify(resolve(compiled, 'query/watch-memory.js'))}
       watchMemory(() => {}, ${JSON.stringify(temporary)}, { interruptAt: 30e6, killAt: 60e6 })
       const parts = []
       setInterval(() => parts.push(Buffer.alloc(5e6, 1)), 10)`,
    )
    const { code, err } = await runBounded([program], { megabytes: 1000, seconds: 60 })
    expect(code).toBe(null)
    expect(err).toBe(
      'The query takes more than 0.06 GB of memory: ask for fewer or shorter values at a time.\n',
    )
    expect(existsSync(temporary)).toBe(false)
  })
})
