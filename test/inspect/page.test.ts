import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, chromium, type Page, type Request } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hostile, makeHostileDataset } from '../helpers/hostile-dataset.js'
import { makeInspectDataset } from '../helpers/inspect-dataset.js'
import { runCommand } from '../helpers/run-command.js'
import { buildPage, type ServedDataset, serveDataset } from '../helpers/serve-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const hasBrowser = existsSync(executablePath)
if (!hasBrowser) {
  process.stderr.write(
    `The page is not walked in a browser: ${executablePath} is missing. Install Chromium, or set CHROMIUM to one.\n`,
  )
}

/** The words of a caption that a box's phrase marks, and the boxes of that phrase that are lit. */
const lit = (page: Page) => page.locator('rect.box.hot').count()
const numberOf = async (page: Page, test: string, name: string) =>
  Number(await page.getByTestId(test).getAttribute(`data-${name}`))

describe.skipIf(!hasBrowser)('the page', () => {
  let browser: Browser
  let folder: string
  let pageFolder: string
  let server: ServedDataset
  let url: string

  beforeAll(async () => {
    folder = await temporaryFolder()
    url = join(folder, 'little')
    await makeInspectDataset(url, { pictures: 2000 })
    pageFolder = await buildPage()
    server = await serveDataset(url, pageFolder)
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  })
  afterAll(() => browser?.close())

  /** A page of its own, with what it asked for and said. */
  async function open(served: ServedDataset, query = '') {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    const requests: string[] = []
    const complaints: string[] = []
    page.on('request', (request: Request) => requests.push(request.url()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`)
      return dialog.dismiss()
    })
    await page.goto(`${served.origin}/?token=${served.token}${query && `&${query}`}`)
    await page.locator('.card, .pair, .funnel, .detail').first().waitFor()
    return { page, requests, complaints }
  }

  it('opens, takes the token out of the address, and keeps it for a link', async () => {
    const { page, complaints } = await open(server)
    expect(page.url()).toBe(`${server.origin}/`)
    expect(await page.locator('.card').count()).toBe(36)
    await page
      .locator('.card img')
      .first()
      .evaluate((image: { decode(): Promise<void> }) => image.decode())
    expect(await page.getByTestId('matched').textContent()).toContain('2,000 pictures')
    await page.goto(`${server.origin}/?q=head%3Akite&page=2`)
    await page.locator('.card').first().waitFor()
    expect(await page.locator('input[type=search]').inputValue()).toBe('head:kite')
    expect(complaints).toEqual([])
    await page.context().close()
    const other = await browser.newContext()
    const stranger = await other.newPage()
    await stranger.goto(server.origin)
    expect(await stranger.locator('.error').textContent()).toContain('holds the token')
    await other.close()
  })

  it('filters by a bar of a histogram, and goes back', async () => {
    await server.whole()
    const { page } = await open(server)
    const bar = page.locator('[data-measure=regions_an_image] .bar[data-bin="5"]')
    await expect.poll(() => bar.getAttribute('aria-label')).not.toContain(' 0 pictures')
    const expected = Number(
      (await bar.getAttribute('aria-label'))?.match(/: ([\d,]+) pictures/)?.[1].replace(',', ''),
    )
    await bar.click()
    await expect.poll(() => numberOf(page, 'matched', 'pictures')).toBe(expected)
    expect(expected).toBeLessThan(2000)
    expect(page.url()).toContain('regions_an_image=5')
    for (const card of await page.locator('.card').all()) {
      const boxes = await card.locator('rect.box').count()
      expect(boxes >= 5 && boxes < 7).toBe(true)
    }
    await page.goBack()
    await expect.poll(() => numberOf(page, 'matched', 'pictures')).toBe(2000)
    await page.context().close()
  })

  it('keeps at the slider what the filter keeps at that threshold, and draws only that', async () => {
    await server.whole('grounding=round-1-filter')
    const { page } = await open(server, 'grounding=round-1-filter')
    const slider = page.locator('.threshold input[type=range]')
    const box = await slider.boundingBox()
    if (!box) throw new Error('there is no slider')
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await page.mouse.down()
    for (let at = 50; at <= 70; at += 2) await page.mouse.move(box.x + (box.width * at) / 100, box.y + 8)
    await page.mouse.up()
    const threshold = Number(await page.getByTestId('threshold').textContent())
    expect(threshold).toBeGreaterThan(0.6)
    const run = await runCommand(
      ...['filter', url, '--as', 'dragged', '--proposals', 'round-1-label'],
      ...['--set', `score.min=${threshold}`, '--json'],
    )
    const { out, images } = JSON.parse(run.out)
    await expect.poll(() => numberOf(page, 'kept', 'boxes')).toBe(out)
    expect(await numberOf(page, 'kept', 'pictures')).toBe(images)
    const scores = await page
      .locator('rect.box')
      .evaluateAll((boxes) =>
        boxes.map((one) => Number((one as unknown as { dataset: { score: string } }).dataset.score)),
      )
    expect(Math.min(...scores)).toBeGreaterThanOrEqual(threshold)
    expect(page.url()).toContain(`t=${threshold}`)
    await page.context().close()
  })

  it('follows a phrase to its box and a box to its phrase, in code points', async () => {
    const { page } = await open(server, 'q=phrase%3Atwo')
    // Characters beyond the basic plane stand before the phrase.
    const card = page
      .locator('.card', { hasText: '🪁' })
      .filter({ has: page.locator('.phrase') })
      .first()
    for (;;) {
      if ((await card.count()) > 0) break
      const before = await page.locator('.card').first().getAttribute('data-id')
      await page.getByLabel('Next page').click()
      await expect.poll(() => page.locator('.card').first().getAttribute('data-id')).not.toBe(before)
    }
    const words = card.locator('.phrase', { hasText: /^(a|two) / }).first()
    expect(await words.textContent()).toMatch(/^(a|two) \w+ \w+$/)
    await words.hover()
    expect(await lit(page)).toBeGreaterThan(0)
    const phrase = await words.getAttribute('data-phrase')
    for (const box of await card.locator('rect.box.hot').all())
      expect(await box.getAttribute('data-phrase')).toBe(phrase)
    await page.mouse.move(0, 0)
    expect(await lit(page)).toBe(0)
    const rect = card.locator('rect.box').first()
    await rect.dispatchEvent('mouseenter')
    const named = card.locator(`.phrase[data-phrase="${await rect.getAttribute('data-phrase')}"]`)
    await expect.poll(() => named.getAttribute('class')).toContain('hot')
    await page.context().close()
  })

  it('is walked with keys alone', async () => {
    const { page } = await open(server)
    const id = (at: number) => page.locator('.card').nth(at).getAttribute('data-id')
    const focused = () =>
      page.evaluate(() => {
        const { document } = globalThis as unknown as {
          document: { activeElement: { closest(s: string): { dataset: { id: string } } | null } }
        }
        return document.activeElement.closest('[data-id]')?.dataset.id
      })
    await page.keyboard.press('j')
    expect(await focused()).toBe(await id(0))
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('k')
    const columns = Number(
      await page
        .locator('.grid')
        .evaluate(
          (grid) =>
            (globalThis as unknown as { getComputedStyle(e: unknown): { gridTemplateColumns: string } })
              .getComputedStyle(grid)
              .gridTemplateColumns.split(' ').length,
        ),
    )
    expect(await focused()).toBe(await id(columns))
    const second = await id(columns)
    await page.keyboard.press('Enter')
    await page.locator(`.detail[data-id="${second}"]`).waitFor()
    await page.keyboard.press('ArrowRight')
    await page.locator(`.detail[data-id="00000:${columns + 1}"]`).waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.card').first().waitFor()
    await page.keyboard.press('?')
    await page.locator('dialog.help').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('dialog.help').waitFor({ state: 'detached' })
    await page.keyboard.press('/')
    await page.keyboard.type('key:000010007')
    await expect.poll(() => page.locator('.card').count()).toBe(1)
    expect(await page.locator('.card').first().getAttribute('data-id')).toBe('00001:7')
    await page.keyboard.press('Escape')
    await page.keyboard.press('3')
    await page.locator('.funnel').waitFor()
    await page.context().close()
  })

  it('compares two rounds side by side', async () => {
    const query = 'tab=compare&against=round-1-filter&grounding=round-2-filter'
    const { changes } = await server.whole(query)
    const { page } = await open(server, query)
    await expect.poll(() => numberOf(page, 'changes', 'lost')).toBe(changes?.lost)
    expect(await numberOf(page, 'changes', 'added')).toBe(changes?.added)
    const pair = page.locator('.pair').first()
    expect(await pair.locator('h3').allTextContents()).toEqual([
      expect.stringContaining('round-1-filter'),
      expect.stringContaining('round-2-filter'),
    ])
    expect(await pair.locator('.change-alone').count()).toBeGreaterThan(0)
    await page.context().close()
  })

  it('finds a reject, with its reason and its picture', async () => {
    const { page } = await open(server)
    await page.getByRole('button', { name: 'Funnel' }).click()
    await page.getByRole('button', { name: /^http_404/ }).click()
    await page.locator('.reject').first().waitFor()
    expect(await page.locator('.reject').first().textContent()).toContain('the server answered 404')
    expect(await page.locator('.reject a').first().getAttribute('href')).toBe(
      'https://gone.example/00000.jpg',
    )
    await page.locator('tr', { hasText: 'round-1-filter' }).getByRole('button', { name: /^nms/ }).click()
    // The boxes that the rule dropped, drawn as such, in the grid and in the open picture.
    const card = page.locator('.card').first()
    await card.locator('rect.box.dropped').first().waitFor()
    const boxes = await card.locator('rect.box').count()
    expect(await card.locator('rect.box.dropped').count()).toBe(boxes)
    expect(await card.locator('.fine').first().textContent()).toMatch(new RegExp(`^${boxes} proposal`))
    await card.locator('.open').click()
    await page
      .locator('.detail[data-id] rect.box.dropped')
      .nth(boxes - 1)
      .waitFor()
    expect(page.url()).toMatch(/tab=funnel.*open=\d+%3A\d+/)
    await page.keyboard.press('Escape')
    await page.locator('.funnel .card').first().waitFor()
    await page.context().close()
  })

  it('holds boxes against a truth, puts words on them, and stores what was ticked', async () => {
    const query = 'grounding=round-2-filter&truth=round-1-filter'
    const { verdicts } = await server.whole(query)
    const { page, complaints } = await open(server, query)
    await expect.poll(() => numberOf(page, 'verdicts', 'wrong')).toBe(verdicts?.wrong)
    await page.getByRole('button', { name: /wrong/ }).first().click()
    await expect.poll(() => numberOf(page, 'matched', 'pictures')).toBe(verdicts?.pictures.wrong)
    const card = page.locator('.card').first()
    await card.locator('.verdict-wrong').first().waitFor()
    expect(await card.locator('.label').count()).toBe(0)
    await page.keyboard.press('l')
    await card.locator('.label', { hasText: '✗' }).first().waitFor()
    expect(page.url()).toContain('labels=1')
    // What is right, wrong and missed is told apart by its lines, whatever the colours are.
    const dashes = await page.evaluate(() => {
      const view = globalThis as unknown as {
        document: { querySelector(query: string): unknown }
        getComputedStyle(element: unknown): { strokeDasharray: string }
      }
      return ['right', 'wrong', 'missed'].map(
        (name) =>
          view.getComputedStyle(view.document.querySelector(`.verdicts .verdict-${name}`)).strokeDasharray,
      )
    })
    expect(new Set(dashes).size).toBe(3)

    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page
      .getByLabel(/^Tick /)
      .nth(1)
      .check()
    await page.getByRole('button', { name: /Save 2 ticked/ }).click()
    for (const [name, said] of [
      ['<img src=x onerror=alert(1)>', 'cannot name a selection'],
      ['both', '“both” is stored: 2 pictures.'],
    ] as const) {
      await page.getByLabel('Name').fill(name)
      // Past the field's own check, as a script would send it.
      await page.locator('.saving form').evaluate((form: { noValidate: boolean }) => {
        form.noValidate = true
      })
      await page.getByRole('button', { name: /^Store/ }).click()
      await expect.poll(() => page.locator('.saving [role=status]').textContent()).toContain(said)
    }
    const listed = page.getByRole('button', { name: /^both/ })
    await listed.click()
    await expect.poll(() => numberOf(page, 'matched', 'pictures')).toBe(2)
    expect(page.url()).toContain('only=both')
    expect(complaints).toEqual([])
    await page.context().close()
  })

  it('is usable at the width of a phone', async () => {
    const { page } = await open(server)
    await page.setViewportSize({ width: 360, height: 740 })
    const wide = () =>
      page.evaluate(() => {
        const { document } = globalThis as unknown as {
          document: { documentElement: { scrollWidth: number } }
        }
        return document.documentElement.scrollWidth
      })
    expect(await wide()).toBeLessThanOrEqual(360)
    await page.getByRole('button', { name: 'Filters' }).click()
    await page.locator('.threshold').waitFor()
    for (const tab of ['Compare', 'Funnel']) {
      await page.getByRole('button', { name: tab }).click()
      await page.locator('.pairs, .funnel').waitFor()
      expect([tab, await wide()]).toEqual([tab, 360])
    }
    await page.context().close()
  })

  it('lets a hostile dataset do nothing', async () => {
    const bad = join(folder, 'hostile')
    await makeHostileDataset(bad)
    await mkdir(join(bad, 'selections'))
    for (const name of ['<img src=x onerror=alert(1)>', 'fine'])
      await writeFile(join(bad, 'selections', `${name}.json`), JSON.stringify({ keys: ['a', 'none'] }))
    await writeFile(join(bad, 'selections', 'bad-keys.json'), JSON.stringify({ keys: ['<img src=x>'] }))
    const served = await serveDataset(bad, pageFolder)
    const nowhere = 'labels=1&only=%3Cimg%20src%3Dx%3E&truth=%3Cb%3E&sort=%3Cb%3E'
    const strange = await open(served, `open=00000:0&${nowhere}`)
    await strange.page.locator('.error', { hasText: 'There is no selection' }).first().waitFor()
    expect(await strange.page.locator('main img[src=x], aside img').count()).toBe(0)
    expect(strange.complaints).toEqual([])
    await strange.page.context().close()
    const { page, requests, complaints } = await open(served, 'labels=1')
    expect(await page.locator('.boxed ~ .tally .word').allTextContents()).toContain('fine')
    expect(
      await page.locator('.tally', { hasText: 'Selections' }).locator('.word').allTextContents(),
    ).toEqual(['fine'])
    await page.locator('.label').first().waitFor()
    expect(await page.locator('.label').first().textContent()).toContain('<img src=x onerror')
    const captions = await page.locator('.caption').allTextContents()
    expect(captions).toEqual(hostile.captions)
    // The words come when a picture has failed to load, which is later than the captions.
    await expect.poll(() => page.locator('.no-picture').count()).toBe(2)
    for (const row of [0, 1, 2]) {
      await page.locator('.card .open').nth(row).click()
      await page.locator(`.detail[data-id="00000:${row}"] .facts`).waitFor()
      const links = await page.locator('main a').evaluateAll((all) =>
        all.map((one) => {
          const link = one as unknown as { href: string; rel: string }
          return [link.href, link.rel]
        }),
      )
      expect(links).toEqual(row === 1 ? [[hostile.urls[1], 'noopener noreferrer']] : [])
      expect(await page.locator('.detail h2').textContent()).toBe(hostile.keys[row])
      await page.keyboard.press('Escape')
      await page.locator('.card').first().waitFor()
    }
    await page.keyboard.press('3')
    await page.locator('.chip').first().click()
    await page.locator('.reject').nth(2).waitFor()
    expect(await page.locator('.reason').first().textContent()).toBe('<i>bad</i>')
    await page.waitForLoadState('networkidle')
    expect(await page.evaluate(() => (globalThis as { pwned?: number }).pwned)).toBeUndefined()
    expect(await page.locator('main script, main b[onclick], main i, main image').count()).toBe(0)
    expect(requests.filter((address) => !address.startsWith(served.origin))).toEqual([])
    expect(complaints).toEqual([])
    await page.context().close()
  })
})
