import { plainLines, plainText } from '../../base/plain-text.js'
import { textWithoutCredentials } from '../../base/without-credentials.js'
import { type RateMeter, rateMeter } from '../../pipeline/tasks/rate-meter.js'

/** One line that says how far the work is, how fast it goes and how long it will take. */
export interface ProgressLine {
  /** @param total 0 where it is not known: then it is said how long the work has gone on */
  update(label: string, done: number, total: number, note?: string): void
  /** Says something beside it; the work goes on. */
  note(text: string): void
  /** Ends the line with what remains to be read. */
  finish(text: string): void
  /** Ends it without a word. */
  stop(): void
}

const barWidth = 24
/** Between two lines where they are not drawn over each other, in milliseconds. */
const linesEvery = 20_000
/** Between two looks of a bar that says how long something goes on. */
const secondsEvery = 1000

/** What the line is to say. */
interface Work {
  readonly label: string
  readonly start: number
  /** Of the last minute: what an earlier run had done does not count for long. */
  readonly meter: RateMeter
  done: number
  total: number
  note: string
}

/** Ends what the line that was begun last on a stream says by itself. */
const quiet = new WeakMap<NodeJS.WriteStream, () => void>()

/**
 * On a terminal a bar that is drawn over; elsewhere a line every 20 seconds, whether or not the work has gone
 * on, and one at its end: a log shows that the program lives. Of a line whose work has failed nothing more is said once
 * another begins.
 */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  let work: Work | undefined
  let drawn = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  quiet.get(stream)?.()
  quiet.set(stream, () => {
    clearInterval(timer)
    timer = undefined
  })
  const { isTTY } = stream
  const clear = isTTY ? '\r\u001b[2K' : ''
  const say = (text: string) => {
    stream.write(`${clear}${plainLines(textWithoutCredentials(text))}\n`)
  }
  const draw = (now: number) => {
    if (!work) return
    drawn = now
    if (isTTY) stream.write(`${clear}${plainText(barText(work, now)).slice(0, (stream.columns || 100) - 1)}`)
    else say(`· ${lineText(work, now)}`)
  }
  const tick = () => {
    // A bar that has a share is drawn as that grows.
    if (!isTTY || work?.total === 0) draw(performance.now())
  }
  const stop = () => {
    clearInterval(timer)
    if (isTTY && work) stream.write(clear)
    timer = undefined
    work = undefined
  }
  return {
    update(label, done, total, note = '') {
      const now = performance.now()
      if (work?.label !== label) work = { label, start: now, meter: rateMeter(), done, total, note }
      else Object.assign(work, { done, total, note })
      if (total > 0) work.meter.add(label, done)
      // Nothing waits for it: the program ends when its work does.
      timer ??= setInterval(tick, isTTY ? secondsEvery : linesEvery).unref()
      if (isTTY && now - drawn >= 100) draw(now)
    },
    note: say,
    finish(text) {
      stop()
      say(text)
    },
    stop,
  }
}

/** Says how long something goes on that cannot say how far it is. */
export async function whileWorking<T>(label: string, work: () => Promise<T>): Promise<T> {
  const progress = createProgress()
  progress.update(label, 0, 0)
  return work().finally(progress.stop)
}

function barText(work: Work, now: number): string {
  const { label, done, total, note } = work
  const share = total === 0 ? 0 : Math.min(1, done / total)
  const full = Math.round(share * barWidth)
  const bar = total === 0 ? '' : '█'.repeat(full) + '░'.repeat(barWidth - full)
  return [label.padEnd(28), bar, ...howFar(work, now), note].filter(Boolean).join('  ')
}

const lineText = (work: Work, now: number): string =>
  [plainText(work.label), ...howFar(work, now), work.note].filter(Boolean).join('  ')

/** Done of total, the rate and the time left, as far as they are known. */
function howFar({ start, meter, done, total }: Work, now: number): string[] {
  if (total === 0) return [`${done > 0 ? `${done}, ` : ''}${duration((now - start) / 1000)} so far`]
  const rate = meter.rate()
  if (rate === 0) return [`${done}/${total}`]
  return [`${done}/${total}`, rateText(rate), `${duration(Math.max(0, total - done) / rate)} left`]
}

/** "12/s", "1.5/s"; "4/min" of what takes seconds. */
function rateText(rate: number): string {
  if (rate >= 10) return `${rate.toFixed(0)}/s`
  return rate >= 0.1 ? `${rate.toFixed(1)}/s` : `${(60 * rate).toFixed(1)}/min`
}

/** "4.2 s", "3 min 5 s", "2 h 10 min". */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
