import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DatasetAnswer, SampleAnswer } from '../../src/inspect/view/answers.js'
import type {
  QueueAnswer,
  ReviewAnswer,
  ReviewedPicture,
  SentEntry,
} from '../../src/inspect/view/review-answers.js'
import { reviewsOf } from '../../src/review/effective-reviews.js'
import { readReviews } from '../../src/review/read-reviews.js'
import type { VerdictRow } from '../../src/rows/rows.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { compiled } from '../helpers/compiled.js'
import { makeHostileDataset } from '../helpers/hostile-dataset.js'
import { makeInspectDataset } from '../helpers/inspect-dataset.js'
import { buildPage, rawRequest, type ServedDataset, serveDataset } from '../helpers/serve-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const layer = 'round-1-filter'
const view = `grounding=${layer}`

let url: string
let page: string

beforeAll(async () => {
  url = join(await temporaryFolder(), 'little')
  await makeInspectDataset(url, { pictures: 60, shardRows: 40, rounds: 1, boxes: 3 })
  page = await buildPage()
})

/** What an entry of a review is, sent as the page does. */
const post = async (
  { origin, token }: Pick<ServedDataset, 'origin' | 'token'>,
  entries: readonly unknown[],
  headers: Readonly<Record<string, string>> = {},
  reviewer = 'Ann',
) => {
  const response = await fetch(`${origin}/api/reviews`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', origin, ...headers },
    body: JSON.stringify({ reviewer, entries }),
  })
  const text = await response.text()
  return {
    status: response.status,
    text,
    answer: (response.ok ? JSON.parse(text) : undefined) as ReviewAnswer,
  }
}

let number = 0
const sent = (changes: Partial<SentEntry> = {}): SentEntry => ({
  ...{ id: `tab.${++number}`, picture: '00000:0', layer, action: 'accept', phrase: 0 },
  ...{ xyxy: [1, 1, 30, 30], redrawn: null, words: null, undoes: null, ...changes },
})

describe('the server of a review', () => {
  let server: ServedDataset
  beforeAll(async () => {
    server = await serveDataset(url, page, { name: 'api', reviewer: 'Ann' })
  })
  const entries = () => readReviews(openStorage(url), 'api')

  it('takes nothing without the token, of another page, of another kind, or where nothing is reviewed', async () => {
    const others: Record<string, string>[] = [
      { authorization: 'Bearer x' },
      { origin: 'http://evil.example' },
      { 'content-type': 'text/plain' },
    ]
    for (const headers of others) {
      const { status } = await post(server, [sent()], headers)
      expect([headers, [403, 405].includes(status)]).toEqual([headers, true])
    }
    const bare = await rawRequest(server.port, '/api/reviews', {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    })
    expect(bare.status).toBe(405)
    const plain = await serveDataset(url, page)
    expect((await post(plain, [sent()])).status).toBe(405)
    await expect(plain.api('/api/review/queue?')).rejects.toThrow('404')
    expect((await plain.api<DatasetAnswer>('/api/dataset')).review).toBeNull()
    expect(await entries()).toEqual([])
  })

  it('takes no more than a part of a review at once', async () => {
    const served = await serveDataset(url, page, { name: 'api', reviewer: 'Ann' })
    const large = Array(199).fill(sent({ picture: 'x'.repeat(2000) }))
    expect((await post(served, large)).status).toBe(413)
  })

  it('refuses what is no part of a review, and each entry that cannot be', async () => {
    for (const bad of [{ action: 'burn' }, { xyxy: [1, 2, 3] }, { more: 1 }, { id: '../x' }])
      expect([bad, (await post(server, [{ ...sent(), ...bad }])).status]).toEqual([bad, 422])
    expect((await post(server, [sent()], {}, 'a\nb')).status).toBe(422)
    const wrong: Partial<SentEntry>[] = [
      { picture: '00000:4000' },
      { picture: '../../x:0' },
      { layer: 'nothing' },
      { phrase: 99 },
      { phrase: null },
      { xyxy: null },
      { xyxy: [-1, 0, 9, 9] },
      { xyxy: [0, 0, 97, 9] },
      { xyxy: [9, 9, 9, 20] },
      { action: 'redraw', redrawn: null },
      { action: 'redraw', redrawn: [0, 0, 9, 900] },
      { action: 'relabel', words: null },
      { action: 'relabel', words: { start: 5, end: 5 } },
      { action: 'relabel', words: { start: 0, end: 5000 } },
      { action: 'undo', undoes: 'elsewhere.1' },
      { action: 'undo', undoes: null },
    ]
    const { answer } = await post(server, [...wrong.map(sent), sent()])
    expect(answer.refused).toHaveLength(wrong.length)
    expect(answer.written).toHaveLength(1)
    expect(await entries()).toEqual(answer.written)
  })

  it('writes once what is sent twice, and of another reviewer takes nothing back', async () => {
    const one = sent({ picture: '00001:3', action: 'reject' })
    const [first, again] = [await post(server, [one]), await post(server, [one])]
    expect(again.answer.written).toEqual(first.answer.written)
    expect(await entries()).toHaveLength(2)
    expect(
      (await post(server, [sent({ action: 'undo', undoes: one.id })], {}, 'Bob')).answer.refused,
    ).toHaveLength(1)
    expect((await post(server, [sent({ action: 'undo', undoes: one.id })])).answer.written).toHaveLength(1)
    expect(reviewsOf(await entries())).toHaveLength(1)
  })

  it('shows the words of others only where they are asked for, and who has done what', async () => {
    await post(
      server,
      [sent({ picture: '00000:7' }), sent({ picture: '00000:7', action: 'done', phrase: null })],
      {},
      'Bob',
    )
    const picture = (query: string) =>
      server.api<ReviewedPicture>(`/api/review/picture?${view}&open=00000:7&${query}`)
    expect(await picture('')).toMatchObject({ mine: [], others: null, machines: null })
    expect((await picture('reviewer=Bob')).mine).toHaveLength(2)
    expect(
      (await picture('others=1')).others?.map(({ reviewer, action }) => `${reviewer} ${action}`),
    ).toEqual(['Bob accept', 'Bob done'])
    const queue = (query: string) => server.api<QueueAnswer>(`/api/review/queue?${view}&${query}`)
    const doneBy = async (who: string) =>
      (await queue(`reviewer=${who}`)).pictures.filter(({ done }) => done).map(({ id }) => id)
    expect([await doneBy('Bob'), await doneBy('Ann')]).toEqual([['00000:7'], []])
    const random = async (seed: number) =>
      (await queue(`order=random&seed=${seed}`)).pictures.map(({ id }) => id)
    expect(new Set(await random(1)).size).toBe(60)
    expect(await random(1)).toEqual(await random(1))
    expect(await random(2)).not.toEqual(await random(1))
    await server.whole(view)
    expect((await queue('order=matches&q=key:000010007')).pictures.map(({ id }) => id)).toEqual(['00001:7'])
  })

  it('puts the most doubtful first: by judges where they were asked, else by the threshold', async () => {
    const copy = join(await temporaryFolder(), 'judged')
    const { storage } = await makeInspectDataset(copy, { pictures: 12, shardRows: 12, rounds: 1, boxes: 3 })
    const order = async (served: ServedDataset) =>
      (await served.api<QueueAnswer>(`/api/review/queue?${view}`)).pictures.map(({ id }) => id)
    const { layers } = await server.api<DatasetAnswer>('/api/dataset')
    const { threshold = 0 } = layers.find(({ name }) => name === layer) ?? {}
    const before = await serveDataset(copy, page, { name: 'x', reviewer: 'Ann' })
    const nearest = async (id: string) => {
      const { sample } = await before.api<ReviewedPicture>(`/api/review/picture?${view}&open=${id}`)
      return Math.min(1, ...sample.boxes.map(({ score }) => Math.abs(score - threshold)))
    }
    const distances = await Promise.all((await order(before)).map(nearest))
    expect(distances).toEqual([...distances].sort((a, b) => a - b))
    expect(distances[0]).toBeLessThan(distances.at(-1) ?? 0)
    // Phrase 0 of each picture is sure, that of picture 5 is not, and a person's word is none of a machine.
    const rows = Array.from({ length: 12 }, (_, row): VerdictRow => {
      const verdict = (phrase: number, probability: number, person = false) => ({
        ...{ phrase, xyxy: [1, 1, 9, 9] as const, verdict: 'accept' as const, probability, redrawn: null },
        ...{ start: null, end: null, judge: 'net', person, reason: null, at: null },
      })
      const own = [verdict(0, row === 5 ? 0.5 : 0.99), verdict(1, 0.99), verdict(0, 0.5, true)]
      return { key: `00000${String(row).padStart(4, '0')}`, verdicts: own }
    })
    await putVerdicts(storage, rows)
    const judged = await serveDataset(copy, page, { name: 'x', reviewer: 'Ann' })
    expect((await order(judged))[0]).toBe('00000:5')
    const { verdicts } = await judged.api<SampleAnswer>(`/api/sample?${view}&open=00000:5`)
    expect(verdicts).toHaveLength(3)
  })

  it('asks about the lines of a sample alone, in their order', async () => {
    const { sample } = await server.api<ReviewedPicture>(`/api/review/picture?${view}&open=00001:2`)
    const { caption, start, end } = sample.phrases[0] as (typeof sample.phrases)[number]
    const lines = [
      { key: sample.key, caption, start, end, xyxy: null },
      { key: 'gone', caption, start, end, xyxy: null },
      { key: '000000001', caption, start, end, xyxy: null },
    ]
    const served = await serveDataset(url, page, { name: 'sampled', reviewer: 'Ann', sample: lines })
    const { pictures } = await served.api<QueueAnswer>('/api/review/queue?order=sample')
    expect(pictures.map(({ id }) => id)).toEqual(['00001:2', '00000:1'])
    const { asked } = await served.api<ReviewedPicture>('/api/review/picture?order=sample&open=00001:2')
    expect(asked).toEqual([{ caption, start, end, xyxy: null }])
  })
})

describe.skipIf(!existsSync(executablePath))('the page of a review', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  })
  afterAll(() => browser?.close())

  async function open({ origin, token }: Pick<ServedDataset, 'origin' | 'token'>, query: string) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const own = await context.newPage()
    const complaints: string[] = []
    own.on('pageerror', (error) => complaints.push(error.message))
    own.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`)
      return dialog.dismiss()
    })
    await own.goto(`${origin}/?token=${token}&tab=review&${query}`)
    await own.locator('.reviewing[data-id]').waitFor()
    await own.getByTestId('question').waitFor()
    return { page: own, complaints }
  }
  const question = (own: Page) => own.getByTestId('question').textContent()
  const doneCount = async (own: Page) => Number(await own.getByTestId('progress').getAttribute('data-done'))
  const stored = (own: Page) =>
    expect.poll(() => own.getByTestId('outbox').getAttribute('data-waiting')).toBe('0')
  /** Answers what is asked until so many pictures are done: boxes are right or wrong in turns. */
  async function review(own: Page, pictures: number, turn: (said: number) => string = () => 'a') {
    let said = 0
    const goal = (await doneCount(own)) + pictures
    while ((await doneCount(own)) < goal) {
      await own.keyboard.press((await question(own))?.includes('Is this') ? turn(said) : 'c')
      said++
    }
    return said
  }

  it('is gone through by keys by two at once, who overwrite nothing, and goes on where it was', async () => {
    const name = 'two'
    const [one, two] = [
      await serveDataset(url, page, { name, reviewer: 'Ann' }),
      await serveDataset(url, page, { name, reviewer: 'Ann' }),
    ]
    const [ann, bob, cid] = await Promise.all([
      open(one, view),
      open(one, `${view}&reviewer=Bob`),
      open(two, `${view}&reviewer=Cid`),
    ])
    const said = await Promise.all([
      review(ann.page, 2),
      review(bob.page, 2, (at) => (at % 2 ? 'a' : 'r')),
      review(cid.page, 2),
    ])
    for (const { page: own } of [ann, bob, cid]) await stored(own)
    const all = await readReviews(openStorage(url), name)
    const of = (reviewer: string) =>
      all
        .filter((entry) => entry.reviewer === reviewer && entry.action !== 'done')
        .map(({ action }) => action)
    expect(['Ann', 'Bob', 'Cid'].map((who) => of(who).length)).toEqual(said)
    expect(of('Bob').filter((action) => action === 'reject').length).toBeGreaterThan(0)
    expect(of('Ann')).not.toContain('reject')
    expect(all.filter(({ action }) => action === 'done')).toHaveLength(6)
    await ann.page.reload()
    await ann.page.getByTestId('question').waitFor()
    expect(await ann.page.getByTestId('progress').getAttribute('data-at')).toBe('2')
    expect([ann, bob, cid].flatMap(({ complaints }) => complaints)).toEqual([])
    for (const { page: own } of [ann, bob, cid]) await own.context().close()
  })

  it('draws anew, adds, relabels, and takes back, by keys and by the mouse', async () => {
    const name = 'drawn'
    const server = await serveDataset(url, page, { name, reviewer: 'Ann' })
    const { page: own } = await open(server, `${view}&queue=random`)
    const held = async () => {
      await stored(own)
      return reviewsOf(await readReviews(openStorage(url), name))
    }
    while (!(await question(own))?.includes('Is this')) await own.keyboard.press('c')
    const before = await held()
    await own.keyboard.press('d')
    for (const key of ['Tab', 'Tab', 'ArrowLeft', 'ArrowLeft', 'ArrowUp', 'Enter'])
      await own.keyboard.press(key)
    const redrawn = (await held()).at(-1)
    const [x1, y1, x2, y2] = redrawn?.xyxy ?? []
    expect(redrawn?.action).toBe('redraw')
    const near = (box: readonly number[] | null | undefined, other: (number | undefined)[]) =>
      expect(box?.map((side, at) => Math.abs(side - (other[at] ?? Number.NaN)) < 0.05)).toEqual(
        Array(4).fill(true),
      )
    near(redrawn?.redrawn, [x1, y1, (x2 ?? 0) - 2, (y2 ?? 0) - 1])
    await own.keyboard.press('z')
    expect(await held()).toEqual(before)
    await own.keyboard.press('e')
    await own.keyboard.press('ArrowRight')
    await own.keyboard.press('Enter')
    const relabelled = (await held()).at(-1)
    expect(relabelled?.action).toBe('relabel')
    expect(relabelled?.words?.start).toBeGreaterThan(relabelled?.phrase?.start ?? 0)
    const frame = await own.locator('.reviewed svg').boundingBox()
    if (!frame) throw new Error('there is no picture')
    const at = (x: number, y: number) => [frame.x + x * frame.width, frame.y + y * frame.height] as const
    await own.keyboard.press('n')
    await own.mouse.move(...at(0.02, 0.02))
    await own.mouse.down()
    await own.mouse.move(...at(0.5, 0.4), { steps: 3 })
    await own.mouse.move(...at(0.52, 0.52), { steps: 3 })
    await own.mouse.up()
    await own.getByRole('button', { name: /store/ }).click()
    const added = (await held()).at(-1)
    expect(added?.action).toBe('add')
    near(added?.xyxy, [0.02 * 96, 0.02 * 72, 0.52 * 96, 0.52 * 72])
    await own.keyboard.press('?')
    await own.locator('dialog.help').waitFor()
    await own.keyboard.press('Escape')
    await own.locator('dialog.help').waitFor({ state: 'detached' })
    await own.context().close()
  })

  it('loses nothing where the server is killed and started again', async () => {
    const name = 'killed'
    const token = 'a-token-that-outlives-the-server'
    const start = async (port: number): Promise<{ child: ChildProcess; port: number }> => {
      const program = `
        import { openInspected } from '${resolve(compiled, 'cli/inspect.js')}'
        import { serveInspect } from '${resolve(compiled, 'inspect/serve-inspect.js')}'
        const { dataset } = await openInspected('${url}')
        const review = { name: '${name}', reviewer: 'Ann' }
        const server = await serveInspect(dataset, { port: ${port}, token: '${token}', page: '${resolve(page)}', review })
        process.stdout.write(String(server.port))`
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      afterAll(() => child.kill('SIGKILL'))
      const [bytes] = await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
      return { child, port: Number(String(bytes)) }
    }
    const first = await start(0)
    const { page: own, complaints } = await open({ origin: `http://127.0.0.1:${first.port}`, token }, view)
    const before = await review(own, 1)
    first.child.kill('SIGKILL')
    await once(first.child, 'close')
    // What is fetched before can still be judged.
    const after = await review(own, 1)
    await own.getByText(/not stored yet, and kept in this browser/).waitFor()
    const waiting = Number(await own.getByTestId('outbox').getAttribute('data-waiting'))
    expect(waiting).toBeGreaterThan(0)
    const second = await start(first.port)
    await own.getByRole('button', { name: 'Try now' }).click()
    await stored(own)
    const all = await readReviews(openStorage(url), name)
    expect(all.filter(({ action }) => action === 'accept' || action === 'complete')).toHaveLength(
      before + after,
    )
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    expect(complaints).toEqual([])
    second.child.kill('SIGKILL')
    await own.context().close()
  })

  it('does nothing that captions, keys and names say', async () => {
    const hostileUrl = join(await temporaryFolder(), 'hostile')
    await makeHostileDataset(hostileUrl)
    const server = await serveDataset(hostileUrl, page, { name: 'first', reviewer: 'Ann' })
    const bad = '"><img src=x onerror=alert(1)>\u202e<script>alert(2)</script>'
    const { page: own, complaints } = await open(server, `reviewer=${encodeURIComponent(bad)}&queue=random`)
    await review(own, 3)
    await stored(own)
    await own.keyboard.press('o')
    expect(complaints).toEqual([])
    expect(await own.evaluate('window.pwned')).toBeUndefined()
    expect(await own.locator('.reviewer').textContent()).toContain('<script>')
    const all = await readReviews(openStorage(hostileUrl), 'first')
    expect(new Set(all.map(({ reviewer }) => reviewer))).toEqual(new Set([bad]))
    await own.context().close()
  })
})

/** A stage of verdicts over the phrases of the dataset's first shard. */
async function putVerdicts(
  storage: ReturnType<typeof openStorage>,
  rows: readonly VerdictRow[],
): Promise<void> {
  const { runShardTask } = await import('../../src/shards/shard-task.js')
  const { datasetLayers } = await import('../../src/filter/dataset-layers.js')
  const { openDataset } = await import('../../src/catalog/open-dataset.js')
  const { layers } = await datasetLayers(await openDataset(storage.url))
  const { phrases } = layers.find(({ name }) => name === layer) ?? {}
  const task = { storage, stage: 'judged', shard: '00000', configHash: 'c', inputs: {} }
  await runShardTask(task, 'verdicts', async (write) => ({
    files: { verdicts: await write('verdicts', rows) },
    ...{ unit: 'boxes', in: rows.length, out: rows.length, rejected: {} },
    ...{ stats: { counts: {}, histograms: {}, tallies: {} }, config: { phrases } },
  }))
}
