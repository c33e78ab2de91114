import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { type ExportFormat, exportFormats } from '../../src/export/config.js'
import type { PictureSpec } from '../helpers/grounded-dataset.js'
import { exportTo, groundedDataset, hashesIn } from '../helpers/grounded-dataset.js'
import { startGroundmill } from '../helpers/groundmill.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
const fresh = () => join(folder, String(count++))

const region = (caption: number, start: number, end: number, score = 0.7, x = 4) => ({
  ...{ caption, start, end, score, origin: 'round-1', xyxy: [x, 5, x + 20.25, 40.1] as const },
})
const captions = [
  { text: 'A 🐕 dog, "fast"', kind: 'web' as const },
  { text: 'a cat. dog', kind: 'categories' as const },
]
const picture = (more: Partial<PictureSpec> = {}): PictureSpec => ({
  ...{ captions, regions: [region(0, 4, 7), region(0, 4, 7, 0.6, 30), region(1, 2, 5)] },
  ...{ url: 'http://example.org/a.jpg', license: 'CC0', meta: '{"id":7}' },
  ...more,
})
const shard = (rows: number) => Array.from({ length: rows }, () => picture())
const source = await groundedDataset(fresh(), [shard(5), shard(3), [], shard(4)])

/** Everything but the report, which names the folder. */
async function bytesOf(out: string) {
  const { 'export.json': _, ...hashes } = await hashesIn(out)
  return hashes
}

describe('an export', () => {
  it.each(exportFormats)('as %s goes on where it was stopped, to the same bytes', async (format) => {
    const whole = fresh()
    await exportTo(source, whole, { format })
    for (const rows of [1, 5, 6, 9, 12]) {
      const out = fresh()
      const stop = new AbortController()
      const onProgress = (done: number) => {
        if (done === rows) stop.abort(new Error('stopped'))
      }
      await expect(exportTo(source, out, { format }, { signal: stop.signal, onProgress })).rejects.toThrow(
        'stopped',
      )
      expect(existsSync(out)).toBe(false)
      let resumed = 0
      const onResume = (done: number) => {
        resumed = done
      }
      const { skipped } = await exportTo(source, out, { format }, { onResume })
      expect(skipped).toBe(false)
      expect(resumed).toBe(rows < 5 ? 0 : rows < 8 ? 5 : rows < 12 ? 8 : 12)
      expect(await bytesOf(out)).toEqual(await bytesOf(whole))
      expect(existsSync(`${out}.partial`)).toBe(false)
    }
  })

  it('goes on after kill -9', async () => {
    const url = fresh()
    const big = await groundedDataset(
      url,
      Array.from({ length: 20 }, () => shard(20)),
    )
    const [killed, whole] = [fresh(), fresh()]
    await exportTo({ ...big, selection: undefined }, whole, { format: 'coco' })
    const args = ['export', url, '--as', 'found', '--format', 'coco', '-o', killed]
    const run = startGroundmill(args)
    const state = join(`${killed}.partial`, '.export-state.json')
    const shards = async () =>
      JSON.parse(JSON.parse(await readFile(state, 'utf8').catch(() => '{}')).text ?? '{}').shards ?? 0
    let isOver = false
    run.ended.then(() => {
      isOver = true
    })
    while (!isOver && (await shards()) < 3) await new Promise((resolve) => setTimeout(resolve, 2))
    run.signal('SIGKILL')
    expect((await run.ended).code).toBeNull()
    expect(existsSync(killed)).toBe(false)
    // What was begun behind the last whole shard is cut off.
    const list = join(`${killed}.partial`, '.export-grounding-images.json')
    await writeFile(list, `${await readFile(list, 'utf8')},{"half${'x'.repeat(2_000_000)}`)
    const again = await runCommand(...args, '--json')
    expect(again.code).toBe(0)
    expect(again.err).toContain('done before: ')
    expect(JSON.parse(again.out)).toMatchObject({ skipped: false, written: { images: 400 } })
    expect(await bytesOf(killed)).toEqual(await bytesOf(whole))
  })

  it('is left as it is where it is done, and replaced only when asked', async () => {
    const out = fresh()
    await exportTo(source, out, { format: 'csv' })
    const before = await stat(join(out, 'regions.csv'))
    expect((await exportTo(source, out, { format: 'csv' })).skipped).toBe(true)
    expect((await stat(join(out, 'regions.csv'))).ino).toBe(before.ino)
    await expect(exportTo(source, out, { format: 'hf' })).rejects.toThrow('--force')
    expect((await exportTo(source, out, { format: 'hf' }, { force: true })).skipped).toBe(false)
    expect((await readdir(out)).sort()).toEqual(['README.md', 'croissant.json', 'data', 'export.json'])
    expect(existsSync(`${out}.replaced`)).toBe(false)
  })

  it('never touches a folder that is not its own', async () => {
    const out = fresh()
    await mkdir(out)
    await writeFile(join(out, 'thesis.txt'), 'mine')
    await expect(exportTo(source, out, { format: 'csv' }, { force: true })).rejects.toThrow('holds no export')
    const other = fresh()
    await mkdir(`${other}.partial`)
    await writeFile(join(`${other}.partial`, 'thesis.txt'), 'mine')
    await expect(exportTo(source, other, { format: 'csv' })).rejects.toThrow('was not begun by an export')
    expect(await readFile(join(`${other}.partial`, 'thesis.txt'), 'utf8')).toBe('mine')
  })

  it('goes on where it was killed before its folder said of what it is', async () => {
    const out = fresh()
    await mkdir(`${out}.partial`)
    await writeFile(join(`${out}.partial`, '.export-state.json.host-1-t1-01234567.aside'), '{"hash')
    expect((await exportTo(source, out, { format: 'csv' })).skipped).toBe(false)
    expect((await readdir(out)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it.each([
    ['another number', (text: string) => text.replace(/shards\\":\d/, 'shards\\":9')],
    ['half of it', (text: string) => text.slice(0, text.length >> 1)],
    ['nothing', () => 'null'],
  ])('begins anew where what it says of itself is damaged: %s', async (_, damage) => {
    const [out, whole] = [fresh(), fresh()]
    await exportTo(source, whole, { format: 'csv' })
    const stop = new AbortController()
    const onProgress = (done: number) => {
      if (done === 9) stop.abort(new Error('stopped'))
    }
    const options = { signal: stop.signal, onProgress }
    await expect(exportTo(source, out, { format: 'csv' }, options)).rejects.toThrow('stopped')
    const state = join(`${out}.partial`, '.export-state.json')
    const text = await readFile(state, 'utf8')
    expect(damage(text)).not.toBe(text)
    await writeFile(state, damage(text))
    const resumed: number[] = []
    await exportTo(source, out, { format: 'csv' }, { onResume: (done) => resumed.push(done) })
    expect(resumed).toEqual([])
    expect(await bytesOf(out)).toEqual(await bytesOf(whole))
  })

  it('leaves out what was dropped and what has no region, and counts both', async () => {
    const given = [
      picture(),
      picture({ dropped: 'near_duplicate' }),
      picture({ regions: [] }),
      picture({ regions: [region(0, 4, 7)] }),
    ]
    const made = await groundedDataset(fresh(), [given])
    const { report } = await exportTo(made, fresh(), { format: 'glip-tsv' })
    expect(report.written).toEqual({ images: 2, captions: 3, regions: 4, detections: 0 })
    expect(report.leftOut).toEqual({
      images: { near_duplicate: 1, no_region: 1 },
      captions: { no_region: 1 },
      regions: { near_duplicate: 3 },
    })
    const kept = await exportTo(made, fresh(), { format: 'glip-tsv', keep_empty: true })
    expect(kept.report.written).toEqual({ images: 3, captions: 6, regions: 4, detections: 0 })
    expect(kept.report.leftOut.images).toEqual({ near_duplicate: 1 })
    expect(report.lost).toMatchObject({
      origins: 4,
      'phrases without a box': 2,
      licenses: 2,
      meta: 2,
      urls: 2,
    })
    expect(report.lost.scores).toBeUndefined()
  })

  it('counts in yolo what has no class', async () => {
    const out = fresh()
    const classes = join(fresh(), 'names.txt')
    await mkdir(join(classes, '..'))
    await writeFile(classes, 'Dog\nbus\n')
    const given = [picture(), picture({ regions: [region(0, 0, 1)] })]
    const made = await groundedDataset(fresh(), [given])
    const { report } = await exportTo(made, out, { format: 'yolo', classes })
    expect(report.written).toMatchObject({ images: 1, regions: 2 })
    expect(report.leftOut).toMatchObject({
      images: { no_region: 1 },
      regions: { not_in_classes: 1, no_region: 1 },
    })
    const [width, height] = [20.25 / 64, 35.1 / 64]
    const label = await readFile(join(out, 'labels/train/00000/000000000.txt'), 'utf8')
    const lines = label
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number))
    expect(lines).toHaveLength(2)
    const [id, x, y, w, h] = lines[0]
    expect([id, w, h]).toEqual([0, expect.closeTo(width, 6), expect.closeTo(height, 6)])
    expect([x, y]).toEqual([expect.closeTo(4 / 64 + width / 2, 6), expect.closeTo(5 / 64 + height / 2, 6)])
    expect(await readFile(join(out, 'data.yaml'), 'utf8')).toContain('names:\n  0: "Dog"\n  1: "bus"\n')
  })

  it('has spans that are offsets in Python, in ASCII that every machine reads', async () => {
    const out = fresh()
    await exportTo(source, out, { format: 'odvg' })
    const text = await readFile(join(out, 'grounding.jsonl'), 'latin1')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is ASCII that is asked for.
    expect(text).toMatch(/^[\x00-\x7e]*$/)
    const [first] = text.split('\n')
    // Two boxes of one span are one region; the category's box is detection.
    expect(JSON.parse(first).grounding).toEqual({
      caption: 'A 🐕 dog, "fast"',
      regions: [
        {
          bbox: [
            [4, 5, 24.25, 40.1],
            [30, 5, 50.25, 40.1],
          ],
          phrase: 'dog',
          tokens_positive: [[4, 7]],
        },
      ],
    })
    const [boxes] = (await readFile(join(out, 'detection.jsonl'), 'utf8')).split('\n')
    expect(JSON.parse(boxes).detection.instances).toEqual([
      { bbox: [4, 5, 24.25, 40.1], label: 0, category: 'cat' },
    ])
    expect(JSON.parse(await readFile(join(out, 'label_map.json'), 'utf8'))).toEqual({ 0: 'cat' })
  })

  it('has an index of the byte of every line of GLIP', async () => {
    const out = fresh()
    await exportTo(source, out, { format: 'glip-tsv' })
    for (const name of ['labels', 'images']) {
      const bytes = await readFile(join(out, `${name}.tsv`))
      const index = (await readFile(join(out, `${name}.lineidx`), 'utf8')).trim().split('\n').map(Number)
      expect(index).toHaveLength(24)
      for (const at of index) expect(at === 0 || bytes[at - 1] === 10).toBe(true)
      expect(bytes.subarray(index[5], index[5] + 10).toString()).toBe('000000002\t')
    }
  })

  it('refuses keys that would leave the folder', async () => {
    const made = await groundedDataset(fresh(), [[picture({ key: '../../evil' })]])
    const out = fresh()
    await expect(exportTo(made, out, { format: 'yolo' })).rejects.toThrow(
      '"../../evil" cannot be the key of a picture',
    )
    expect(existsSync(join(folder, 'evil.jpg'))).toBe(false)
  })

  it.each(['hf', 'webdataset', 'glip-tsv'] as ExportFormat[])('has nothing to link in %s', async (format) => {
    await expect(exportTo(source, fresh(), { format, images: 'link', link_from: folder })).rejects.toThrow(
      'nothing to link',
    )
  })

  it('links pictures to those of an earlier export, and copies those that are not the same', async () => {
    const [first, second] = [fresh(), fresh()]
    await exportTo(source, first, { format: 'csv' })
    const name = '00001/000010001.jpg'
    await writeFile(
      join(first, 'images', name),
      await sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } })
        .jpeg()
        .toBuffer(),
    )
    const { report } = await exportTo(source, second, {
      format: 'coco',
      images: 'link',
      link_from: join(first, 'images'),
    })
    expect(report.pictures).toEqual({ linked: 11, copied: 1 })
    const [a, b] = await Promise.all(
      [first, second].map((out) => stat(join(out, 'images/00000/000000000.jpg'))),
    )
    expect(a.ino).toBe(b.ino)
    const plain = fresh()
    await exportTo(source, plain, { format: 'coco' })
    expect(await bytesOf(second)).toEqual(await bytesOf(plain))
    await expect(exportTo(source, fresh(), { format: 'csv', images: 'link' })).rejects.toThrow(
      '--link-from FOLDER',
    )
  })

  it('links pictures to what they were ingested from, never to a file outside of that folder', async () => {
    const inside = fresh()
    const first = fresh()
    await exportTo(source, first, { format: 'csv' })
    await mkdir(inside)
    const bytes = await readFile(join(first, 'images/00000/000000000.jpg'))
    await writeFile(join(inside, 'dog.jpg'), bytes)
    const from = async (file_name: string) => {
      const made = await groundedDataset(fresh(), [[picture({ meta: JSON.stringify({ file_name }) })]])
      return (await exportTo(made, fresh(), { format: 'csv', images: 'link', link_from: inside })).report
        .pictures
    }
    expect(await from('dog.jpg')).toEqual({ linked: 1 })
    expect(await from(`../${first.split('/').at(-1)}/images/00000/000000000.jpg`)).toEqual({ copied: 1 })
  })

  it('leaves pictures where they were crawled', async () => {
    const made = await groundedDataset(fresh(), [[picture(), picture({ url: null })]])
    const out = fresh()
    const { report } = await exportTo(made, out, { format: 'coco', images: 'url' })
    expect(report.leftOut.images).toEqual({ no_url: 1 })
    expect((await readdir(out)).sort()).toEqual([
      'croissant.json',
      'export.json',
      'grounding.json',
      'instances.json',
    ])
    const { images } = JSON.parse(await readFile(join(out, 'grounding.json'), 'utf8'))
    expect(images).toEqual([
      expect.objectContaining({ coco_url: 'http://example.org/a.jpg', caption: captions[0].text }),
    ])
    await expect(exportTo(made, fresh(), { format: 'yolo', images: 'url' })).rejects.toThrow(
      'want the pictures',
    )
  })
})

describe('groundmill export', () => {
  it('prints one line of JSON, and says what to mend', async () => {
    const out = fresh()
    const url = source.storage.url
    const done = await runCommand('export', url, '--as', 'found', '--format', 'yolo', '-o', out, '--json')
    expect(done.code).toBe(0)
    expect(done.out.trim().split('\n')).toHaveLength(1)
    expect(done.err).toMatch(/✓ .* 12 pictures, \d+ captions, [1-9]\d* regions as yolo, /)
    expect(JSON.parse(done.out)).toMatchObject({ out, skipped: false, written: { images: 12 }, classes: 1 })
    const wrong = await runCommand('export', url, '--as', 'nothing', '--format', 'yolo', '-o', fresh())
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('it has: found')
    const format = await runCommand('export', url, '--format', 'voc', '-o', fresh())
    expect(format.code).toBe(2)
    expect(format.err).toContain('hf')
  })
})
