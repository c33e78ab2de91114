/**
 * The page of `groundmill inspect` over many pictures, in Chromium: how soon it shows the first ones, how
 * long a step of the slider takes, how long until everything is counted, and the server's memory. Pictures
 * are tiny JPEGs; each has two phrases with five proposals of each of two teachers.
 *
 *     npm run bench:inspect -- [--pictures 100000] [--folder FOLDER] [--json]
 *
 * Of more than 100,000 pictures the others are these again, in shards of their own. In a folder that is named the
 * dataset stays, and is not made again: the index of a million takes long the first time.
 *
 * Chromium is /usr/bin/chromium, or what CHROMIUM names. The first paint is the browser's own mark; a step
 * goes from the slider's event to the counts of that threshold on the page.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium, type Page } from 'playwright-core'
import { isDataset } from '../src/shards/dataset.js'
import { openStorage } from '../src/storage/open-storage.js'
import { makeInspectDataset } from '../test/helpers/inspect-dataset.js'
import { cpuTicks, peakMb } from './measure-process.js'
import { repeatShards } from './repeat-shards.js'
import { type Figure, median, option, printReport } from './report.js'

const pictures = Number(option('pictures', '100000'))
const openings = 5
const steps = 60
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

const named = option('folder', '')
const folder = named || (await mkdtemp(join(tmpdir(), 'groundmill-bench-')))
const url = join(folder, 'dataset')
const shardRows = 5000
const storage = openStorage(url)
if (!(await isDataset(storage))) {
  await makeInspectDataset(url, { pictures: Math.min(pictures, 100_000), shardRows })
  if (pictures > 100_000) await repeatShards(storage, Math.ceil(pictures / shardRows))
}

/** Megabytes that a server's memory may come to. */
const mostMb = pictures > 100_000 ? 1500 : 500

const start = async () => {
  const since = performance.now()
  const server = spawn(process.execPath, ['dist/cli/main.js', 'inspect', url, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const address = await new Promise<URL>((resolve) => {
    server.stdout.once('data', (line: Buffer) => resolve(new URL(JSON.parse(String(line)).url)))
  })
  return { server, address, started: performance.now() - since }
}
let { server, address, started } = await start()
const serverMb = () => peakMb(server.pid as number)

const ask = async (path: string) => {
  const token = address.searchParams.get('token') as string
  const response = await fetch(address.origin + path, { headers: { authorization: `Bearer ${token}` } })
  return (await response.json()) as { index: { isWhole: boolean } }
}

/** Waits until everything that a view needs is indexed. */
async function whole(query: string) {
  for (;;) {
    const { index } = await ask(`/api/counts?${query}`)
    if (index.isWhole) return
    // As seldom as the page asks: work in the background gives way to requests.
    await sleep(500)
  }
}

/** Seconds until the server has done what it does in the background: until it takes next to no processor for a second. */
async function rest(): Promise<number> {
  const begun = performance.now()
  const ticks = () => cpuTicks(server.pid as number)
  for (let last = ticks(); ; ) {
    await sleep(1000)
    const now = ticks()
    // Of a hundred ticks.
    if (now - last <= 3) return (performance.now() - begun) / 1000 - 1
    last = now
  }
}

interface Opening {
  readonly paint: number
  readonly pictures: number
}

/**
 * Opens the page anew; milliseconds from the navigation to the first paint, and to all pictures of the first
 * page.
 */
async function opening(page: Page, to: string): Promise<Opening> {
  await page.goto(to, { waitUntil: 'commit' })
  await page.locator('.card').first().waitFor()
  return page.evaluate(async () => {
    const all = globalThis as unknown as {
      document: { images: Iterable<{ decode(): Promise<void>; getBoundingClientRect(): { top: number } }> }
      innerHeight: number
    }
    const shown = [...all.document.images].filter(
      (image) => image.getBoundingClientRect().top < all.innerHeight,
    )
    await Promise.all(shown.map((image) => image.decode()))
    const now = performance.now()
    // The mark comes when the frame has been shown, which may be later than the pictures are there.
    let [paint] = performance.getEntriesByName('first-contentful-paint')
    while (!paint) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      paint = performance.getEntriesByName('first-contentful-paint')[0]
    }
    return { paint: paint.startTime, pictures: now }
  })
}

/** Milliseconds from each of the slider's events to the counts of its threshold on the page. */
const drag = (page: Page, count: number): Promise<number[]> =>
  page.evaluate(async (all) => {
    interface Element {
      value: string
      dataset: { boxes: string }
      dispatchEvent(event: unknown): void
    }
    const view = globalThis as unknown as {
      document: { querySelector(query: string): Element }
      MutationObserver: new (f: () => void) => { observe(e: Element, o: object): void; disconnect(): void }
      Event: new (name: string, options: object) => unknown
    }
    const slider = view.document.querySelector('.threshold input[type=range]')
    const kept = view.document.querySelector('[data-testid=kept]')
    const times: number[] = []
    for (let step = 0; step < all; step++) {
      const begin = performance.now()
      const changed = new Promise<void>((resolve) => {
        const observer = new view.MutationObserver(() => {
          observer.disconnect()
          resolve()
        })
        observer.observe(kept, { attributes: true, attributeFilter: ['data-boxes'] })
      })
      slider.value = String(0.2 + 0.01 * step)
      slider.dispatchEvent(new view.Event('input', { bubbles: true }))
      await changed
      times.push(performance.now() - begin)
    }
    return times
  }, count)

const figures: Record<string, Figure> = {}
const figure = (name: string, value: number, unit: string, limit: number | null, note = '') => {
  const goal = limit === null ? '' : `< ${limit}`
  figures[name] = { value, unit, goal, met: limit === null ? null : value < limit, note }
}

try {
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing`)
  const firstTime = performance.now()
  await whole('')
  const firstSeconds = (performance.now() - firstTime) / 1000
  await whole('tab=compare')
  server.kill('SIGTERM')
  await once(server, 'exit')
  ;({ server, address, started } = await start())
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  const first = await opening(page, address.href)
  const indexed = performance.now()
  await whole('')
  const indexSeconds = (performance.now() - indexed) / 1000
  const more: Opening[] = []
  for (let at = 1; at < openings; at++) more.push(await opening(page, address.origin))
  await page.locator('[data-testid=kept][data-boxes]').waitFor()
  const atOnce = await drag(page, steps)
  const restSeconds = await rest()
  const plain = await drag(page, steps)
  // The same while filters hold, and the pictures of the page change with every step.
  await page.goto(`${address.origin}/?head=kite&regions_an_image=3`)
  await page.locator('[data-testid=kept][data-boxes]').waitFor()
  await rest()
  const filtered = await drag(page, steps)
  figure('server_peak_rss', serverMb(), 'MB', mostMb, 'one grounding indexed')
  await whole('tab=compare')
  await page.goto(`${address.origin}/?tab=compare`)
  await page.locator('.pair').first().waitFor()
  await page.locator('[data-testid=kept][data-boxes]').waitFor()
  await rest()
  const compared = await drag(page, steps)
  const paints = [first, ...more].map(({ paint }) => paint)
  const shown = [first, ...more].map(({ pictures: time }) => time)
  figure('server_start', started, 'ms', null, 'of the program, until it has printed the address')
  figure('first_paint', median(paints), 'ms', 1000, `of ${openings}; worst ${Math.max(...paints).toFixed(0)}`)
  figure('first_paint_indexing', first.paint, 'ms', 1000, 'the first of them, while the index is made')
  figure(
    'pictures_shown',
    median(shown),
    'ms',
    1000,
    `all that are in sight; worst ${Math.max(...shown).toFixed(0)}`,
  )
  const worst = `worst ${Math.max(...atOnce).toFixed(0)}: the first one is a jump of twenty places`
  figure(
    'slider_step_at_once',
    median(atOnce),
    'ms',
    100,
    `of ${steps}, as soon as the page is there; ${worst}`,
  )
  figure('counted_ahead', restSeconds, 's', null, 'then, until all places of the slider are counted')
  figure('slider_step', median(plain), 'ms', 100, `of ${steps}`)
  figure('slider_step_worst', Math.max(...plain), 'ms', 100)
  figure('slider_step_filtered', median(filtered), 'ms', 100, `of ${steps}, with two filters`)
  figure('slider_step_filtered_worst', Math.max(...filtered), 'ms', 100)
  figure('index_first', firstSeconds, 's', null, `of ${pictures} pictures, one grounding, kept then`)
  figure('index_again', indexSeconds, 's', 5, 'the next time, from the first pictures on')
  figure('compare_step', median(compared), 'ms', 100, `of ${steps}, two rounds side by side`)
  figure('compare_step_worst', Math.max(...compared), 'ms', 100)
  figure('server_peak_rss_compare', serverMb(), 'MB', mostMb, 'two groundings indexed')
  await browser.close()
} finally {
  server.kill('SIGTERM')
  if (!named) await rm(folder, { recursive: true })
}
printReport('inspect', 1, figures)
