import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDataset } from '../../../src/catalog/check-dataset.js'
import type { Finding } from '../../../src/catalog/finding.js'
import { reviewsOf } from '../../../src/review/effective-reviews.js'
import { exportReview } from '../../../src/review/exchange/export-review.js'
import { importReview, type ReviewImportOptions } from '../../../src/review/exchange/import-review.js'
import { readReviews } from '../../../src/review/read-reviews.js'
import { openReviewLog } from '../../../src/review/review-log.js'
import { groundedDataset, type PictureSpec, type RegionSpec } from '../../helpers/grounded-dataset.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const region = (start: number, end: number, x: number): RegionSpec => ({
  ...{ caption: 0, start, end, score: 0.5, origin: 'teacher' },
  xyxy: [x + 0.1, 10.7, x + 20, 40],
})
const picture = (more: Partial<PictureSpec> = {}): PictureSpec => ({
  captions: [{ text: 'a dog, a cat', kind: 'web' }],
  regions: [region(0, 5, 2), region(7, 12, 30)],
  ...more,
})
const pictures = [
  [picture(), picture({ dropped: 'near_duplicate' })],
  [picture(), picture({ regions: [] })],
]
let count = 0

/** A dataset, and what it gives a tool. */
async function exported(more: Partial<Parameters<typeof exportReview>[1]> = {}) {
  const base = join(folder, String(count++))
  const source = await groundedDataset(join(base, 'data'), pictures)
  const out = join(base, 'out.json')
  const report = await exportReview(source, { format: 'coco', out, ...more })
  const { storage } = source
  const take = (options: Partial<ReviewImportOptions> = {}) =>
    importReview(storage, {
      ...{ format: 'coco', file: out, name: 'first', reviewer: 'ann', at: '2024-01-01T00:00:00.000Z' },
      ...options,
    })
  const holds = async () =>
    reviewsOf(await readReviews(storage, 'first')).map(({ key, action, phrase, redrawn }) =>
      [key.slice(-1), action, phrase?.text, redrawn?.[0]].filter((part) => part !== undefined).join(' '),
    )
  const edit = async (change: (file: CocoFile) => void) => {
    const file = JSON.parse(await readFile(out, 'utf8'))
    change(file)
    await writeFile(out, JSON.stringify(file))
  }
  return { base, source, storage, out, report, take, holds, edit }
}

interface CocoFile {
  info: { exchange?: string }
  images: { id: number; file_name: string; exchange?: string }[]
  annotations: { id: number; image_id: number; bbox: number[]; tokens_positive: number[][] }[]
}

describe('export for review, and import', () => {
  it('writes what was said once, however often it is imported', async () => {
    const { report, take, holds, edit, storage } = await exported()
    expect(report).toMatchObject({
      pictures: 2,
      boxes: 4,
      phrases: 4,
      leftOut: { near_duplicate: 1, no_phrase: 1 },
    })
    await edit((file) => {
      file.annotations[0].bbox[0] += 3
      file.annotations[0].bbox[2] -= 3
      file.annotations.splice(3, 1)
    })
    const first = await take()
    expect(first).toMatchObject({ written: 6, known: 0, pictures: 2, exported: 2, rejected: {} })
    const said = [
      ...['0 redraw a dog 5.099999904632568', '0 accept a cat', '0 done'],
      ...['0 accept a dog', '0 reject a cat', '0 done'],
    ]
    expect((await holds()).sort()).toEqual(said.sort())
    expect(await take()).toMatchObject({ written: 0, known: 6 })
    // A copy of the file that is younger says nothing new.
    expect(await take({ at: '2024-02-01T00:00:00.000Z' })).toMatchObject({ written: 0, known: 6 })
    expect(await readReviews(storage, 'first')).toHaveLength(6)
    const findings: Finding[] = []
    await checkDataset(storage, { mend: false, deep: false, onFinding: (finding) => findings.push(finding) })
    expect(findings).toEqual([])
  })

  it('takes boxes that were added back where they are gone, and what changed as it is now', async () => {
    const { take, holds, edit, storage } = await exported()
    const add = { id: 77, image_id: 1, category_id: 1, bbox: [1, 50, 10, 10], tokens_positive: [[0, 5]] }
    await edit(({ annotations }) => annotations.push(add))
    await take()
    expect(await holds()).toContain('0 add a dog')
    // What was added on the page was never in the file: it is not gone from it.
    const log = await openReviewLog(storage, 'first', 'ann')
    const [dog] = (await readReviews(storage, 'first')).filter(({ action }) => action === 'add')
    const onPage = { ...dog, id: 'page.1', at: '2024-01-01T12:00:00.000Z', xyxy: [5, 6, 7, 8] as const }
    await log.append([{ ...onPage, phrase: { caption: 0, start: 7, end: 12, text: 'a cat' } }])
    await edit(({ annotations }) => {
      annotations.pop()
      annotations.splice(0, 1)
    })
    expect(await take({ at: '2024-01-02T00:00:00.000Z' })).toMatchObject({ written: 2 })
    const later = await holds()
    expect(later).not.toContain('0 add a dog')
    expect(later).toContain('0 reject a dog')
    expect(later).toContain('0 add a cat')
    await edit(({ annotations }) => annotations.push(add))
    await take({ at: '2024-01-03T00:00:00.000Z' })
    expect(await holds()).toContain('0 add a dog')
  })

  it('is not said over what a reviewer has said since, nor over what others say', async () => {
    const { take, holds, storage, source } = await exported()
    await take({ reviewer: 'bob' })
    const log = await openReviewLog(storage, 'first', 'ann')
    const [entry] = reviewsOf(await readReviews(storage, 'first'))
    await log.append([
      { ...entry, action: 'reject', id: 'page.1', at: '2025-01-01T00:00:00.000Z', stage: source.grounding },
    ])
    expect(await take()).toMatchObject({ written: 5, known: 1 })
    expect((await holds()).filter((one) => one === '0 reject a dog')).toHaveLength(1)
    expect((await readReviews(storage, 'first')).filter(({ reviewer }) => reviewer === 'bob')).toHaveLength(6)
  })

  it('holds what comes back against what went out, whatever the dataset has by then', async () => {
    const { base, take, holds } = await exported()
    await groundedDataset(join(base, 'data'), [
      [picture({ regions: [] }), picture()],
      [picture(), picture()],
    ])
    await take()
    expect((await holds()).filter((one) => one.includes('accept'))).toHaveLength(4)
  })

  it('gives the same file of the same data, some pictures alone where that is asked, and the pictures', async () => {
    const one = await exported()
    const two = await exported()
    expect(two.report.id).toBe(one.report.id)
    expect(await readFile(two.out, 'utf8')).toBe(await readFile(one.out, 'utf8'))
    const list = join(one.base, 'keys.txt')
    await writeFile(list, '000010000\nother\n')
    const pictures = join(one.base, 'pictures')
    const out = join(one.base, 'tasks.json')
    const some = await exportReview(one.source, { format: 'label-studio', out, only: list, pictures })
    expect(some).toMatchObject({ pictures: 1, only: { asked: 2, found: 1, missing: ['other'] } })
    expect(some.id).not.toBe(one.report.id)
    expect(await readdir(pictures)).toEqual(['000010000.jpg'])
    const [task] = JSON.parse(await readFile(out, 'utf8'))
    expect(task.data.image).toBe('/data/local-files/?d=pictures/000010000.jpg')
    expect(await readFile(join(one.base, 'tasks.config.xml'), 'utf8')).toContain('value="$phrases"')
    await one.take()
    const rest = exportReview(one.source, { format: 'coco', out, reviewed: new Set(['000000000']) })
    expect(await rest).toMatchObject({ pictures: 1, leftOut: { reviewed: 1 } })
    const none = exportReview(one.source, {
      format: 'coco',
      out,
      reviewed: new Set(['000000000', '000010000']),
    })
    await expect(none).rejects.toThrow(/is left to review: reviewed 2, near_duplicate 1, no_phrase 1/)
  })

  it('tells of pictures that are not of the export, and of files that are of none', async () => {
    const { take, edit, storage, report } = await exported()
    await edit(({ images }) => {
      Object.assign(images[0], { file_name: 'cat.jpg', original_img_id: undefined })
    })
    expect(await take()).toMatchObject({ pictures: 1, rejected: { unknown_picture: 3 } })
    await edit(({ images }) => {
      for (const image of images) image.exchange = 'ffffffff'
    })
    await expect(take()).rejects.toThrow(`knows no export ffffffff; the dataset has 1 export: ${report.id}`)
    expect(await take({ exchange: report.id })).toMatchObject({ pictures: 1 })
    await edit(({ images }) => {
      for (const image of images) delete image.exchange
    })
    expect(await take()).toMatchObject({ pictures: 1 })
    await storage.write('exchanges/00000000.jsonl', '{}')
    await expect(take()).rejects.toThrow(/does not say of which export it is.*name it with --export ID/)
    await expect(take({ exchange: '00000000' })).rejects.toThrow(/line 1: version/)
    await expect(take({ exchange: '../secret' })).rejects.toThrow('knows no export')
    await expect(take({ reviewer: undefined })).rejects.toThrow('does not say who has reviewed')
    await expect(take({ reviewer: 'a\nb' })).rejects.toThrow('a name of one line')
    await expect(take({ name: '../up' })).rejects.toThrow('cannot name a review')
    await expect(take({ format: 'label-studio' })).rejects.toThrow('expected a list of tasks')
    await expect(take({ format: 'cvat' })).rejects.toThrow('is not XML as CVAT writes it')
  })
})
