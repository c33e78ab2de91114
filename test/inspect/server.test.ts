import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import type { DatasetStatistics } from '../../src/catalog/dataset-statistics.js'
import type {
  CountsAnswer,
  DatasetAnswer,
  RejectsAnswer,
  SampleAnswer,
  SamplesAnswer,
} from '../../src/inspect/view/answers.js'
import { type ShownName, shownMeasures } from '../../src/inspect/view/shown-measures.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { readShard } from '../../src/shards/read-shard.js'
import { type Measure, type MeasureName, measures } from '../../src/statistics/measures.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { groundmill } from '../helpers/groundmill.js'
import { hostile, makeHostileDataset } from '../helpers/hostile-dataset.js'
import { makeInspectDataset, secondRules } from '../helpers/inspect-dataset.js'
import { buildPage, rawRequest, type ServedDataset, serveDataset } from '../helpers/serve-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let url: string
let page: string
let server: ServedDataset

/** Every file of a folder with its size and time. */
async function filesOf(folder: string) {
  const files: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const { size, mtimeMs } = await stat(path)
    files.push(`${path} ${size} ${mtimeMs}`)
  }
  return files.sort()
}

let before: string[]

beforeAll(async () => {
  const folder = await temporaryFolder()
  url = join(folder, 'little')
  await makeInspectDataset(url, { pictures: 700, shardRows: 300 })
  page = await buildPage()
  before = await filesOf(url)
  server = await serveDataset(url, page)
  await server.whole('tab=compare')
})

describe('the guard', () => {
  it('gives nothing of the dataset without the token', async () => {
    const { pictureKey } = await server.api<DatasetAnswer>('/api/dataset')
    for (const path of [
      '/api/dataset',
      '/api/counts',
      '/api/samples',
      '/api/sample?open=00000:0',
      '/api/rejects',
    ]) {
      for (const authorization of [
        '',
        'Bearer',
        `Bearer ${server.token}x`,
        `Basic ${server.token}`,
        `Bearer ${pictureKey}`,
      ]) {
        const answer = await rawRequest(server.port, path, { headers: { authorization } })
        expect([path, answer.status]).toEqual([path, 403])
        expect(answer.body.toString()).not.toContain('little')
      }
    }
    for (const key of ['', 'x', server.token]) {
      for (const kind of ['thumb', 'picture'])
        expect((await rawRequest(server.port, `/${kind}/${key}/00000:0`)).status).toBe(404)
    }
    expect((await rawRequest(server.port, `/thumb/${pictureKey}/00000:0`)).status).toBe(200)
  })

  it('answers to its own address only, and to no page of another', async () => {
    const token = { authorization: `Bearer ${server.token}` }
    const status = async (headers: Record<string, string>, method = 'GET') =>
      (await rawRequest(server.port, '/api/dataset', { headers: { ...token, ...headers }, method })).status
    for (const host of ['evil.example', `evil.example:${server.port}`, '127.0.0.1', '127.0.0.1:1'])
      expect([host, await status({ host })]).toEqual([host, 403])
    for (const host of [`127.0.0.1:${server.port}`, `localhost:${server.port}`, `[::1]:${server.port}`])
      expect([host, await status({ host })]).toEqual([host, 200])
    expect(await status({ origin: 'https://evil.example' })).toBe(403)
    expect(await status({ origin: 'null' })).toBe(403)
    expect(await status({ origin: server.origin })).toBe(200)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(await status({}, method)).toBe(405)
  })

  it('sends safe headers with every answer', async () => {
    const paths = ['/', '/nothing', '/api/dataset', '/thumb/x/y', '/assets/../index.html']
    for (const path of paths) {
      const { headers } = await rawRequest(server.port, path)
      const policy = String(headers['content-security-policy'])
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toMatch(/unsafe|\*|data:|https?:/)
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
      })
    }
  })

  it('reads no file outside of the page and the dataset', async () => {
    const { pictureKey } = await server.api<DatasetAnswer>('/api/dataset')
    const own = await readFile(join(page, 'index.html'))
    const shard = await committedFile(openStorage(url), 'images', null, '00000')
    const paths = [
      ...['/../package.json', '/..%2f..%2fpackage.json', '//etc/passwd', '/assets/../../../../etc/passwd'],
      ...[
        '/%2e%2e/%2e%2e/etc/passwd',
        '/assets/%00',
        '/dataset.json',
        `/${shard.path}`,
        '/..\\..\\package.json',
      ],
    ]
    for (const path of paths) {
      const { status, body } = await rawRequest(server.port, path)
      expect([path, status >= 400 || body.equals(own)]).toEqual([path, true])
      expect(body.toString()).not.toMatch(/root:|"name"|PAR1/)
    }
    for (const id of [
      '..%2f..%2fx:0',
      '00000:-1',
      '00000:300',
      '00000:1e2',
      '00009:0',
      '00000',
      'images/00000:0',
    ]) {
      expect([id, (await rawRequest(server.port, `/picture/${pictureKey}/${id}`)).status]).toEqual([id, 404])
      await expect(server.api(`/api/sample?open=${id}`)).rejects.toThrow(/404/)
    }
    await expect(server.api('/api/rejects?stage=../../x')).rejects.toThrow(/404/)
    const { samples } = await server.api<SamplesAnswer>('/api/samples?grounding=../../x')
    expect(samples[0].boxes.length).toBeGreaterThan(0)
  })

  it('shows no drawing and no web page as a picture, and hostile words as they are', async () => {
    const bad = join(await temporaryFolder(), 'hostile')
    await makeHostileDataset(bad)
    const served = await serveDataset(bad, page)
    const { pictureKey } = await served.api<DatasetAnswer>('/api/dataset')
    for (const kind of ['thumb', 'picture']) {
      const answers = await Promise.all(
        [0, 1, 2].map((row) => rawRequest(served.port, `/${kind}/${pictureKey}/00000:${row}`)),
      )
      expect(answers.map(({ status }) => status)).toEqual([415, 415, 200])
      expect(answers[2].headers['content-type']).toBe(kind === 'thumb' ? 'image/webp' : 'image/jpeg')
      for (const { headers } of answers.slice(0, 2)) expect(headers['content-type']).toMatch(/^text\/plain/)
    }
    const { samples } = await served.api<SamplesAnswer>('/api/samples')
    expect(samples.map(({ captions }) => captions[0].text)).toEqual(hostile.captions)
    await served.whole()
    const found = await served.api<SamplesAnswer>(`/api/samples?q=${encodeURIComponent('key:a')}`)
    expect(found.samples.map(({ id }) => id)).toEqual(['00000:0'])
    const { rejects } = await served.api<RejectsAnswer>('/api/rejects?stage=hostile')
    expect(rejects.map(({ picture }) => picture)).toEqual(['00000:0', '00000:1', '00000:2'])
  })
})

describe('the numbers', () => {
  const rejectedBy = async (name: string, proposals: string, set: string) => {
    const run = await groundmill(
      ...['filter', url, '--as', name, '--proposals', proposals, '--set', set, '--json'],
    )
    expect(run.code, run.err).toBe(0)
    return JSON.parse(run.out) as { in: number; out: number; images: number }
  }

  it("are the filter's at any threshold, also where its rules look at weaker boxes", async () => {
    const second = (min: number) =>
      `rules=${JSON.stringify(secondRules.map((rule) => (rule.rule === 'score' ? { ...rule, min } : rule)))}`
    for (const min of [0.15, 0.62]) {
      const first = await rejectedBy(`first-${min}`, 'round-1-label', `score.min=${min}`)
      const { kept } = await server.whole(`grounding=round-1-filter&t=${min}`)
      expect(kept).toEqual({ boxes: first.out, pictures: first.images, proposals: first.in })
      const other = await rejectedBy(`second-${min}`, 'round-2-label', second(min))
      const counts = await server.whole(`grounding=round-2-filter&t=${min}&q=dog`)
      expect(counts.kept).toEqual({ boxes: other.out, pictures: other.images, proposals: other.in })
    }
  })

  it('are those of the stored grounding at its own threshold, picture by picture', async () => {
    const { samples } = await server.api<SamplesAnswer>('/api/samples?grounding=round-2-filter&page=9')
    const { layers } = await server.api<DatasetAnswer>('/api/dataset')
    const threshold = layers.find(({ name }) => name === 'round-2-filter')?.threshold ?? 0
    const storage = openStorage(url)
    const stored = new Map<string, number>()
    for (const shard of ['00000', '00001', '00002'])
      for await (const { key, regions } of readShard(storage, 'grounding', 'round-2-filter', shard))
        stored.set(key, regions.length)
    expect(samples).toHaveLength(36)
    expect(samples[0].id).toBe('00000:288')
    for (const { key, boxes } of samples) {
      const live = boxes.filter(({ from, to }) => from < threshold && threshold <= to)
      expect([key, live.length]).toEqual([key, stored.get(key)])
    }
  })

  it('are the same in the histograms and in what they filter', async () => {
    const all = await server.whole('grounding=round-1-filter')
    const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
    expect(sum(all.histograms.area_share)).toBe(all.kept.boxes)
    expect(sum(all.histograms.regions_an_image)).toBe(700)
    expect(all.heads.top.reduce((total, [, count]) => total + count, 0)).toBe(all.kept.boxes)
    for (const [measure, bin] of [
      ['regions_an_image', 3],
      ['score', 15],
      ['phrases_an_image', 2],
    ] as const) {
      const some = await server.api<CountsAnswer>(`/api/counts?grounding=round-1-filter&${measure}=${bin}`)
      // Its own bars stay as they are: they show what choosing others would give.
      expect(some.histograms[measure]).toEqual(all.histograms[measure])
      const expected = all.histograms[measure][bin]
      expect(measure === 'score' ? some.matched.boxes : some.matched.pictures).toBe(expected)
    }
    const [[head, boxes]] = all.heads.top
    const some = await server.api<CountsAnswer>(`/api/counts?grounding=round-1-filter&head=${head}`)
    expect(some.matched.boxes).toBe(boxes)
    const { samples, total } = await server.api<SamplesAnswer>(
      `/api/samples?grounding=round-1-filter&head=${head}&page=2`,
    )
    expect(total).toBe(some.matched.pictures)
    for (const { phrases, boxes: own } of samples)
      expect(own.some(({ phrase, to }) => phrases[phrase].head === head && to >= 0.5)).toBe(true)
  })

  it('have the histograms of the statistics, of records and of rows, and their hosts', async () => {
    const statisticsOf = async (...options: readonly string[]) => {
      const run = await groundmill('stats', url, '--json', ...options)
      expect(run.code, run.err).toBe(0)
      const { stages } = JSON.parse(run.out).datasets[0] as DatasetStatistics
      return (stage: string, name: string) =>
        stages.find((one) => one.stage === stage)?.statistics.find((column) => column.column_name === name)
          ?.column_statistics
    }
    const [ofRecords, ofRows] = [await statisticsOf(), await statisticsOf('--exact')]
    for (const grounding of ['round-1-filter', 'round-2-filter']) {
      const { histograms, allScores, hosts } = await server.whole(`grounding=${grounding}`)
      const histogramOf = (name: ShownName) => {
        const { least, most = null, edges } = measures[name as MeasureName] as Measure
        expect(shownMeasures[name].edges).toEqual(edges)
        return { histogram: { hist: histograms[name], bin_edges: [least, ...edges, most] } }
      }
      for (const name of ['score', 'area_share', 'aspect', 'regions_an_image'] as const) {
        expect(ofRecords(grounding, name)).toMatchObject(histogramOf(name))
        expect(ofRows(grounding, name)).toMatchObject(histogramOf(name))
      }
      expect(ofRows('little', 'longer_side')).toMatchObject(histogramOf('longer_side'))
      expect(ofRows('little', 'hosts')).toMatchObject({ frequencies: Object.fromEntries(hosts.top) })
      for (const [bin, count] of histograms.score.entries())
        expect(allScores[bin]).toBeGreaterThanOrEqual(count)
    }
    const { allScores, kept } = await server.whole('grounding=round-1-filter')
    expect(allScores.reduce((a, b) => a + b, 0)).toBeGreaterThan(kept.boxes)
  })

  it('are those of compare', async () => {
    const run = await groundmill('compare', url, 'round-1-filter', 'round-2-filter', '--json')
    const { kept, moved, lost, added, changed } = JSON.parse(run.out)
    const { changes } = await server.whole('tab=compare&against=round-1-filter&grounding=round-2-filter')
    expect(changes).toEqual({ kept, moved, lost, added, pictures: changed })
    const { samples } = await server.api<SamplesAnswer>('/api/samples?tab=compare&against=round-1-filter')
    const alone = samples.map(({ changes: own }) => own?.filter((change) => change === 'alone').length ?? 0)
    expect(Math.max(...alone)).toBeGreaterThan(0)
  })
})

describe('the search', () => {
  it('finds by phrase, head, key and address', async () => {
    const find = async (query: string) =>
      (await server.api<SamplesAnswer>(`/api/samples?q=${encodeURIComponent(query)}`)).samples
    await server.whole()
    const [{ key, url: address, phrases }] = await find('phrase:"a red dog"')
    expect(phrases.map(({ text }) => text)).toContain('a red dog')
    expect((await find(`key:${key}`)).map((one) => one.key)).toEqual([key])
    expect((await find(address ?? '')).map((one) => one.key)).toEqual([key])
    const photos = await find('url:photos head:kite')
    expect(photos.length).toBeGreaterThan(0)
    for (const one of photos) {
      expect(one.url).toContain('photos')
      expect(one.phrases.map(({ head }) => head)).toContain('kite')
    }
    expect(await find('key:photos')).toEqual([])
    expect(await find('nothing-of-the-kind')).toEqual([])
  })
})

describe('the rest', () => {
  it('opens a picture at its place in what matches', async () => {
    const { total, samples } = await server.api<SamplesAnswer>('/api/samples?head=kite')
    const answer = await server.api<SampleAnswer>(`/api/sample?head=kite&open=${samples[1].id}`)
    expect(answer).toMatchObject({ place: 1, total, before: samples[0].id, after: samples[2].id })
    expect(answer.sample).toEqual(samples[1])
  })

  it('makes thumbnails of stored pictures and gives their bytes', async () => {
    const { pictureKey } = await server.api<DatasetAnswer>('/api/dataset')
    const thumb = await rawRequest(server.port, `/thumb/${pictureKey}/00001:5`)
    expect(await sharp(thumb.body).metadata()).toMatchObject({ format: 'webp', width: 96, height: 72 })
    const whole = await rawRequest(server.port, `/picture/${pictureKey}/00001:5`)
    expect(await sharp(whole.body).metadata()).toMatchObject({ format: 'jpeg', width: 96, height: 72 })
  })

  it('goes through the rejects of a stage, of one reason, from any place on', async () => {
    const all = await server.api<RejectsAnswer>('/api/rejects?stage=little')
    expect(all.rejects.map(({ reason }) => reason)).toEqual(Array(3).fill(['http_404', 'not_image']).flat())
    const some = await server.api<RejectsAnswer>('/api/rejects?stage=little&reason=not_image&from=2')
    expect(some.rejects.map(({ url: address }) => address)).toEqual([
      'https://text.example/00001.html',
      'https://text.example/00002.html',
    ])
    const seen: string[] = []
    for (let from: number | null = 0; from !== null; ) {
      const answer: RejectsAnswer = await server.api(
        `/api/rejects?stage=round-1-filter&reason=nms&from=${from}`,
      )
      seen.push(...answer.rejects.map(({ key }) => key ?? ''))
      from = answer.next
    }
    expect(new Set(seen).size).toBe(seen.length)
    const stored: string[] = []
    for (const shard of ['00000', '00001', '00002'])
      for await (const { key, reason } of readShard(openStorage(url), 'rejects', 'round-1-filter', shard))
        if (reason === 'nms') stored.push(key ?? '')
    expect(seen).toEqual(stored)
  })

  it('writes nothing', async () => {
    const now = (await filesOf(url)).filter((file) => !/\/(?:first|second)-0\.\d+\//.test(file))
    expect(now).toEqual(before)
  })
})
