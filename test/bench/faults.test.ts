import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { badHosts, kinds, scriptOf } from '../../bench/faults/bad-web-script.js'
import { contentOf, differenceOf } from '../../bench/faults/content.js'
import { slopeOf } from '../../bench/faults/crawl-bad-web.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

/** Seven changes, in every form of `node:fs`; what changes nothing is among them. */
const program = `
import { mkdirSync, promises, rename, rmSync, writeFileSync } from 'node:fs'
import { mkdir, open, rm, unlink, writeFile } from 'node:fs/promises'
await mkdir('one')
mkdirSync('one', { recursive: true })
await writeFile('one/a', 'a'.repeat(100))
await new Promise((resolve, reject) => rename('one/a', 'one/b', (error) => (error ? reject(error) : resolve())))
const handle = await open('one/c', 'w')
await handle.writev([Buffer.from('b'.repeat(30)), Buffer.from('c'.repeat(70))], 20)
await handle.sync()
await handle.close()
await rm('one/none', { force: true })
await unlink('one/b')
rmSync('one', { recursive: true })
`
const all = ['mkdir', 'writeFile', 'rename', 'open', 'writev', 'unlink', 'rm']

function run(name: string, fault: object) {
  const cwd = join(folder, name)
  mkdirSync(cwd)
  const preload = join(process.cwd(), 'bench/faults/change-faults.mjs')
  const args = ['--import', preload, '--input-type=module', '--eval', program]
  const env = { ...process.env, GROUNDMILL_FAULT: JSON.stringify(fault) }
  const { signal, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
  const read = (file: string) =>
    existsSync(join(cwd, file)) ? readFileSync(join(cwd, file), 'utf8').length : -1
  return { signal, stderr, read }
}

it('counts the changes of the file system in all forms, and kills at one of them, a write half done', () => {
  const log = join(folder, 'log')
  expect(run('counted', { log })).toMatchObject({ signal: null, stderr: '' })
  const changes = readFileSync(log, 'utf8').split('\n')
  // A folder is removed with more calls within.
  expect(changes.slice(0, all.length).map((line) => line.split(' ')[0])).toEqual(all)
  const kills = { writeFile: { 'one/a': 50 }, rename: { 'one/a': 100, 'one/b': -1 }, writev: { 'one/c': 70 } }
  for (const [change, files] of Object.entries(kills)) {
    const { signal, read } = run(change, { killAt: all.indexOf(change) + 1 })
    expect(signal).toBe('SIGKILL')
    for (const [file, length] of Object.entries(files)) expect(read(file), `${change}: ${file}`).toBe(length)
  }
})

it('lets the disk be full from a change on, at once half way through a write', () => {
  const { signal, stderr, read } = run('full', { fullFrom: all.indexOf('writev') + 1, code: 'EDQUOT' })
  expect(signal).toBeNull()
  expect(stderr).toMatch(/EDQUOT: disk quota exceeded/)
  // Twenty bytes before it, and half of a hundred.
  expect(read('one/c')).toBe(70)
})

it('tells what is lost, doubled and left aside, whenever it was made', async () => {
  const write = async (where: string, files: Readonly<Record<string, string>>) => {
    await mkdir(join(folder, where, '.groundmill/workers'), { recursive: true })
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, where, name), text)
    return contentOf(join(folder, where))
  }
  const calm = await write('calm', {
    'a.parquet': 'rows',
    'b.parquet': 'more',
    'a.json': '{"rows": 1, "at": "noon", "seconds": 2}',
    'steps.jsonl': '{"loss": 1, "seconds": 2}\n{"loss": 1, "seconds": 1}\n',
    'cut.jsonl': '{"loss": 1}\n',
    '.groundmill/workers/one.json': 'who',
  })
  const shaken = await write('shaken', {
    'a.parquet': 'rows',
    'b.parquet': 'mor',
    'c.parquet': 'rows',
    'a.json': '{"rows": 1, "at": "night", "seconds": 3}',
    'steps.jsonl': '{"loss": 1, "seconds": 3}\n{"loss": 1, "seconds": 2}\n',
    'cut.jsonl': '{"loss": 1',
    'b.parquet.vm-1-2-00000000.aside': 'mo',
  })
  const { lost, ...more } = differenceOf(calm, shaken)
  expect({ ...more, lost: [...lost].sort() }).toEqual({
    lost: ['b.parquet', 'cut.jsonl'],
    doubled: ['c.parquet'],
    aside: ['b.parquet.vm-1-2-00000000.aside'],
  })
})

it('draws every kind of bad server, the same for a row each time', () => {
  const scripts = Array.from({ length: 20_000 }, (_, row) => scriptOf(1, row))
  expect(new Set(scripts.map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)))
  const bad = scripts.map(({ host }) => host).filter((host) => typeof host === 'string')
  expect(new Set(bad)).toEqual(new Set(Object.keys(badHosts)))
  expect(scripts[77]).toEqual(scriptOf(1, 77))
})

it('measures the growth of memory without its beginning', () => {
  expect(slopeOf([0, 50, 90, 100, 102, 104, 106, 108, 110])).toBeCloseTo(2)
})
