import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { DatasetStatistics } from '../../src/catalog/dataset-statistics.js'
import { stats } from '../../src/cli/stats.js'
import { sweepThresholds } from '../../src/filter/sweep-thresholds.js'
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
import { hostile, makeHostileDataset } from '../helpers/hostile-dataset.js'
import { makeInspectDataset, secondRules } from '../helpers/inspect-dataset.js'
import { runCommand } from '../helpers/run-command.js'
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
    const run = await runCommand(
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
      const run = await runCommand('stats', url, '--json', ...options)
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
    const run = await runCommand('compare', url, 'round-1-filter', 'round-2-filter', '--json')
    const { kept, moved, lost, added, changed } = JSON.parse(run.out)
    const { changes } = await server.whole('tab=compare&against=round-1-filter&grounding=round-2-filter')
    expect(changes).toEqual({ kept, moved, lost, added, pictures: changed })
    const { samples } = await server.api<SamplesAnswer>('/api/samples?tab=compare&against=round-1-filter')
    const alone = samples.map(({ changes: own }) => own?.filter((change) => change === 'alone').length ?? 0)
    expect(Math.max(...alone)).toBeGreaterThan(0)
  })
})

/** Narrows a view to some hundred pictures. */
const some = 'q=key%3A00002'

/** All samples of a view, in their order. */
async function samplesOf(query: string) {
  const all: SamplesAnswer['samples'][number][] = []
  for (let number = 1; ; number++) {
    const { samples, total } = await server.api<SamplesAnswer>(`/api/samples?${query}&page=${number}`)
    all.push(...samples)
    if (all.length >= total) return all
  }
}

describe('the order', () => {
  it('is by the best and the worst box that is kept, pictures without one at the end', async () => {
    const query = `grounding=round-1-filter&t=0.7&${some}`
    const plain = await samplesOf(query)
    const scoresOf = ({ boxes }: (typeof plain)[number]) =>
      boxes.filter(({ to }) => to >= 0.7).map(({ score }) => score)
    const by = (keyOf: (scores: number[]) => number) => {
      const keys = new Map(plain.map((sample) => [sample.id, keyOf(scoresOf(sample))]))
      return [...plain.map(({ id }) => id)].sort((a, b) => (keys.get(b) ?? 0) - (keys.get(a) ?? 0))
    }
    const idsOf = async (more: string) => (await samplesOf(`${query}&${more}`)).map(({ id }) => id)
    expect(await idsOf('sort=best')).toEqual(by((scores) => Math.max(...scores)))
    expect(await idsOf('sort=worst')).toEqual(
      by((scores) => (scores.length > 0 ? 2 - Math.min(...scores) : 0)),
    )
    expect(plain.some((sample) => scoresOf(sample).length === 0)).toBe(true)
    const near = ({ boxes }: (typeof plain)[number]) =>
      boxes.filter(({ to }) => to >= 0.7 - 0.05 && to < 0.7 + 0.05).length
    const close = await samplesOf(`${query}&sort=disagreement`)
    expect(close.map(near)).toEqual(plain.map(near).sort((a, b) => b - a))
  })
})

describe('the truth', () => {
  it('is held against boxes with the numbers of sweep, and picture by picture', async () => {
    const view = (t: number) => `grounding=round-2-filter&truth=round-1-filter&t=${t}`
    await server.whole(view(0.4))
    const storage = openStorage(url)
    const points = await sweepThresholds(storage, ['00000', '00001', '00002'], {
      ...{ phrases: 'phrases', proposals: 'round-2-label', values: [0.3, 0.62] },
      gold: { grounding: 'round-1-filter', phrases: 'phrases' },
      rulesAt: (min) => secondRules.map((rule) => (rule.rule === 'score' ? { ...rule, min } : rule)),
    })
    for (const { value, precision, recall, boxes } of points) {
      const { verdicts } = await server.api<CountsAnswer>(`/api/counts?${view(value)}`)
      if (!verdicts) throw new Error('nothing is judged')
      const { right, wrong, missed, found, unjudged } = verdicts
      expect(right / (right + wrong)).toBe(precision)
      expect(found / (found + missed)).toBe(recall)
      expect(right + wrong + unjudged).toBe(boxes)
      if (value !== 0.62) continue
      const own = await server.api<CountsAnswer>(`/api/counts?${view(value)}&${some}`)
      const samples = await samplesOf(`${view(value)}&${some}`)
      const countOf = (verdict: string) =>
        samples.map(({ verdicts: judged }) => judged?.filter((one) => one === verdict).length ?? 0)
      const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
      expect([sum(countOf('right')), sum(countOf('wrong'))]).toEqual([
        own.verdicts?.right,
        own.verdicts?.wrong,
      ])
      expect(sum(samples.map((sample) => sample.missed?.length ?? 0))).toBe(own.verdicts?.missed)
      const wrongOnes = await samplesOf(`${view(value)}&${some}&verdict=wrong`)
      expect(wrongOnes.map(({ id }) => id)).toEqual(
        samples.filter((_, at) => countOf('wrong')[at]! > 0).map(({ id }) => id),
      )
      expect(wrongOnes).toHaveLength(own.verdicts?.pictures.wrong ?? -1)
      const errors = ({ verdicts: judged, missed: not }: (typeof samples)[number]) =>
        (judged?.filter((one) => one === 'wrong').length ?? 0) + (not?.length ?? 0)
      const worst = await samplesOf(`${view(value)}&${some}&sort=disagreement`)
      expect(worst.map(errors)).toEqual(samples.map(errors).sort((a, b) => b - a))
    }
  })
})

describe('what is left out', () => {
  it('are pictures without a box, or with one', async () => {
    const query = 'grounding=round-1-filter&t=0.8'
    const { boxed, kept } = await server.whole(query)
    expect(boxed).toEqual({ with: kept.pictures, without: 700 - kept.pictures })
    expect(boxed.without).toBeGreaterThan(0)
    const without = await samplesOf(`${query}&boxes=without`)
    expect(without).toHaveLength(boxed.without)
    expect(without.flatMap(({ boxes }) => boxes.filter(({ to }) => to >= 0.8))).toEqual([])
    const some = await server.api<CountsAnswer>(`/api/counts?${query}&boxes=with`)
    expect(some).toMatchObject({ boxed, matched: { pictures: boxed.with, boxes: kept.boxes } })
  })

  it('are the boxes that a rule dropped, as many as the filter has counted', async () => {
    for (const [stage, reason] of [
      ['round-1-filter', 'score'],
      ['round-1-filter', 'nms'],
      ['round-2-filter', 'phrase_recall'],
    ]) {
      const { rejects, next } = await server.api<RejectsAnswer>(
        `/api/rejects?stage=${stage}&reason=${reason}`,
      )
      expect(rejects.length === 24 || next === null).toBe(true)
      for (const { key, detail, dropped, sample } of rejects) {
        expect([key, `${dropped} of`]).toEqual([key, detail.slice(0, `${dropped} of`.length)])
        expect(sample?.key).toBe(key)
        expect(sample?.boxes).toHaveLength(Math.min(60, dropped ?? 0))
      }
      const { picture, sample } = rejects[0]!
      const open = await server.api<SampleAnswer>(
        `/api/sample?tab=funnel&stage=${stage}&reason=${reason}&open=${picture}`,
      )
      expect(open.sample).toEqual(sample)
      if (reason === 'score') expect(Math.max(...sample!.boxes.map(({ score }) => score))).toBeLessThan(0.5)
    }
  })
})

describe('a selection', () => {
  const post = (name: string, body: unknown, headers: Readonly<Record<string, string>> = {}, query = '') =>
    fetch(`${server.origin}/api/selections/${encodeURIComponent(name)}?${query}`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${server.token}`, origin: server.origin },
        ...{ 'content-type': 'application/json', ...headers },
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const stored = async (name: string) =>
    JSON.parse(await readFile(join(url, 'selections', `${name}.json`), 'utf8')) as { keys: string[] }

  it('is stored of ticked pictures and of all that match, and shown alone', async () => {
    const ticked = await post('ticked', { ids: ['00001:4', '00000:7', '00001:4', '00009:1'] })
    expect([ticked.status, await ticked.json()]).toEqual([200, [{ name: 'ticked', pictures: 2 }]])
    expect(await stored('ticked')).toEqual({ version: 1, pictures: 2, keys: ['000000007', '000010004'] })
    const query = 'grounding=round-1-filter&head=kite&t=0.6&sort=best'
    const { matched } = await server.whole(query)
    expect((await post('kites', {}, {}, query)).status).toBe(200)
    const kites = await samplesOf(query)
    expect((await stored('kites')).keys).toEqual(kites.map(({ key }) => key).sort())
    expect(matched.pictures).toBe(kites.length)
    const only = await samplesOf('grounding=round-1-filter&only=ticked')
    expect(only.map(({ key }) => key)).toEqual(['000000007', '000010004'])
    const { selections } = await server.api<DatasetAnswer>('/api/dataset')
    expect(selections).toEqual([
      { name: 'kites', pictures: kites.length },
      { name: 'ticked', pictures: 2 },
    ])
    await expect(server.api('/api/samples?only=other')).rejects.toThrow(/no selection other/)
    expect(await listedByStats()).toEqual(selections.map((one) => ({ dataset: 'little', ...one })))
  })

  it('gives way only where it is to be replaced, and one of two writers is first', async () => {
    const both = await Promise.all(['00000:1', '00000:2'].map((id) => post('race', { ids: [id] })))
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    const before = await stored('race')
    const refused = await post('race', { ids: ['00000:3'] })
    expect([refused.status, await refused.json()]).toEqual([
      409,
      { error: 'There is a selection "race" already.' },
    ])
    expect(await stored('race')).toEqual(before)
    expect((await post('race', { ids: ['00000:3'], replace: true })).status).toBe(200)
    expect((await stored('race')).keys).toEqual(['000000003'])
    expect((await samplesOf('only=race')).map(({ id }) => id)).toEqual(['00000:3'])
  })

  it('is stored for the page alone, of names that are names', async () => {
    const body = { ids: ['00000:1'] }
    for (const [headers, status] of [
      [{ authorization: 'Bearer x' }, 403],
      [{ origin: 'https://evil.example' }, 403],
      [{ origin: 'null' }, 403],
      [{ 'content-type': 'text/plain' }, 405],
      [{ 'content-type': 'application/x-www-form-urlencoded' }, 405],
    ] as const)
      expect([headers, (await post('guarded', body, headers)).status]).toEqual([headers, status])
    const authorization = `Bearer ${server.token}`
    const bare = { method: 'POST', headers: { authorization, 'content-type': 'application/json' } }
    expect((await rawRequest(server.port, '/api/selections/guarded', bare)).status).toBe(405)
    expect((await post('guarded', body, {}, 'x')).status).toBe(200)
    for (const name of ['../../x', '..', 'A', 'a b', '<img src=x>', 'x'.repeat(129), '%2e%2e%2fx', 'a/b'])
      expect([name, (await post(name, body)).status >= 400]).toEqual([name, true])
    for (const wrong of [
      '',
      '{',
      '[]',
      { ids: 'x' },
      { ids: [1] },
      { other: 1 },
      { ids: [] },
      { ids: ['x:1'] },
    ])
      expect([wrong, (await post('wrong', wrong)).status]).toEqual([wrong, 422])
    expect((await post('large', `{"ids":["${'x'.repeat(5e6)}"]}`)).status).toBe(413)
    expect((await readdir(join(url, 'selections'))).sort()).toEqual(
      ['guarded', 'kites', 'race', 'ticked'].map((name) => `${name}.json`),
    )
  })

  const listedByStats = async () => {
    const said: string[] = []
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      said.push(String(text))
      return true
    })
    try {
      await stats(url, { top: 1, json: true }, new AbortController().signal)
    } finally {
      write.mockRestore()
    }
    return JSON.parse(said.join('')).selections
  }
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

  it('writes nothing but selections', async () => {
    const now = (await filesOf(url)).filter(
      (file) => !/\/(?:first-0\.\d+|second-0\.\d+|selections)\//.test(file),
    )
    expect(now).toEqual(before)
  })
})
