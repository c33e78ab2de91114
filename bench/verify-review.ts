/**
 * Two reviewers go through fifty pictures each by keys, in two browsers at once, while the server is killed and
 * started again: every verdict of a key is in the log once, and how long the page takes for one.
 *
 *     npm run verify:review -- [--pictures 50] [--kills 4] [--json]
 *
 * Chromium is /usr/bin/chromium, or what CHROMIUM names. A person's own time for a look comes to that of the page.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium, type Page } from 'playwright-core'
import { readReviews } from '../src/review/read-reviews.js'
import { reviewStatus } from '../src/review/review-status.js'
import { openStorage } from '../src/storage/open-storage.js'
import { makeInspectDataset } from '../test/helpers/inspect-dataset.js'
import { gatherFigures, option, printReport } from './report.js'

const pictures = Number(option('pictures', '50'))
const kills = Number(option('kills', '4'))
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const folder = await mkdtemp(join(tmpdir(), 'groundmill-review-'))
const url = join(folder, 'dataset')
await makeInspectDataset(url, { pictures, shardRows: 20, rounds: 1, boxes: 3 })

/** Port and token are those of the last time. */
const start = async (): Promise<{ readonly server: ChildProcess; readonly address: string }> => {
  const server = spawn(
    process.execPath,
    ['dist/cli/main.js', 'inspect', url, '--review', 'first', '--reviewer', 'Ann', '--json'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder },
    },
  )
  const [line] = await once(server.stdout as NonNullable<typeof server.stdout>, 'data')
  return { server, address: (JSON.parse(String(line)) as { url: string }).url }
}

interface Work {
  readonly said: string[]
  readonly ms: number[]
}

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })

/** Says of each box `box`, and of each phrase that it has all, until every picture is done. */
async function review(page: Page, box: (said: number) => 'a' | 'r'): Promise<Work> {
  const [said, ms]: [string[], number[]] = [[], []]
  for (;;) {
    const done = Number(await page.getByTestId('progress').getAttribute('data-done'))
    if (done === pictures) return { said, ms }
    const asked = page.getByTestId('question')
    const text = await asked.textContent({ timeout: 60_000 })
    const key = text?.includes('Is this') ? box(said.length) : 'c'
    const since = performance.now()
    await page.keyboard.press(key)
    // A frame of the browser after the key is what a person sees next.
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))')
    ms.push(performance.now() - since)
    said.push(key)
  }
}

let { server, address } = await start()
const open = async (reviewer: string) => {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage()
  const at = new URL(address)
  await page.goto(`${at.origin}/${at.search}&tab=review&grounding=round-1-filter&reviewer=${reviewer}`)
  await page.getByTestId('question').waitFor()
  return page
}
const pages = [await open('Ann'), await open('Bob')] as const
const since = performance.now()
let isOver = false
let killed = 0
const killing = (async () => {
  for (let at = 0; at < kills && !isOver; at++) {
    await sleep(1500)
    server.kill('SIGKILL')
    killed++
    await once(server, 'close')
    await sleep(300)
    ;({ server, address } = await start())
  }
})()
const works = await Promise.all([review(pages[0], () => 'a'), review(pages[1], (at) => (at % 3 ? 'a' : 'r'))])
isOver = true
const seconds = (performance.now() - since) / 1000
await killing
for (const page of pages)
  while ((await page.getByTestId('outbox').getAttribute('data-waiting')) !== '0') await sleep(50)
const entries = await readReviews(openStorage(url), 'first')
const status = reviewStatus('first', entries)
server.kill()
await browser.close()
await rm(folder, { recursive: true, force: true })

const actions: Readonly<Record<string, string>> = { a: 'accept', r: 'reject', c: 'complete' }
const wrong = works.flatMap(({ said }, at) => {
  const mine = entries.filter(({ reviewer, action }) => reviewer === ['Ann', 'Bob'][at] && action !== 'done')
  const written = mine.map(({ action }) => action).join(' ')
  return written === said.map((key) => actions[key]).join(' ') ? [] : [at]
})
const verdicts = works.reduce((sum, { said }) => sum + said.length, 0)
const times = works.flatMap(({ ms }) => ms).sort((a, b) => a - b)
const quantile = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0
const lost = verdicts - entries.filter(({ action }) => action !== 'done' && action !== 'undo').length
const { figures, report } = gatherFigures()
report('pictures, each by two', pictures, '')
report('verdicts', verdicts, '')
report('kills of the server', killed, '')
report('verdicts lost', Math.max(0, lost), '', '0', lost <= 0)
report('verdicts written twice', Math.max(0, -lost), '', '0', lost >= 0)
report('logs that are not what the keys said, in order', wrong.length, '', '0', wrong.length === 0)
report('a key to the next frame, median', quantile(0.5), 'ms')
report('the same, 95 of 100', quantile(0.95), 'ms')
report('verdicts an hour, one reviewer', (3600 * verdicts) / 2 / seconds, '')
report("Cohen's kappa of the boxes", status.agreement.boxes, '')
printReport('review', 1, figures)
if (lost !== 0 || wrong.length > 0) process.exitCode = 1
