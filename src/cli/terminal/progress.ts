import { plainLines, plainText } from '../../base/plain-text.js'
import { textWithoutCredentials } from '../../base/without-credentials.js'

/** One line that says how far the work is, how fast it goes and how long it will take. */
export interface ProgressLine {
  update(label: string, done: number, total: number, note?: string): void
  /** Ends the line with what remains to be read. */
  finish(text: string): void
}

const barWidth = 24

/**
 * On a terminal a bar that is drawn over; elsewhere only the finished lines, so that piped output stays
 * clean.
 */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  let label = ''
  let start = 0
  let first = 0
  let drawn = 0
  return {
    update(name, done, total, note) {
      const now = performance.now()
      if (name !== label) {
        label = name
        start = now
        // Work that an earlier run had done must not count for the rate.
        first = done
      }
      if (!stream.isTTY || now - drawn < 100) return
      drawn = now
      const seconds = (now - start) / 1000
      const rate = seconds > 0.2 ? (done - first) / seconds : 0
      stream.write(
        `\r\u001b[2K${plainText(progressText(name, done, total, rate, note)).slice(0, (stream.columns || 100) - 1)}`,
      )
    },
    finish(text) {
      label = ''
      stream.write(`${stream.isTTY ? '\r\u001b[2K' : ''}${plainLines(textWithoutCredentials(text))}\n`)
    },
  }
}

function progressText(name: string, done: number, total: number, rate: number, note = ''): string {
  const speed = rate > 0 ? `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)}/s` : ''
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const full = Math.round(share * barWidth)
  const bar = '█'.repeat(full) + '░'.repeat(barWidth - full)
  const left = rate > 0 ? `${duration((total - done) / rate)} left` : ''
  return [name.padEnd(28), bar, `${done}/${total}`, speed, left, note].filter(Boolean).join('  ')
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
