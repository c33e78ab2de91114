import { type FetchProgress, watchFetches } from '../../hub/watch-fetches.js'
import { say } from './print.js'
import { createProgress, duration, type ProgressLine } from './progress.js'

/** Smaller files come too soon to be told of. */
const leastTold = 2_000_000
const mb = (bytes: number) => Math.round(bytes / 1e6)

/**
 * Says on stderr what is fetched from the Hub, how far it is, how fast it goes and how long it will take.
 *
 * @param signal ends the fetching
 */
export function showFetches(signal: AbortSignal): void {
  const lines = new Map<
    string,
    { readonly line: ProgressLine; readonly start: number; readonly from: number }
  >()
  const end = ({ file, total }: FetchProgress) => {
    const { line, start, from } = lines.get(file) ?? {}
    lines.delete(file)
    if (!line || start === undefined || from === undefined) return
    const before = from > 0 ? `, ${mb(from)} MB of it earlier` : ''
    const seconds = duration((performance.now() - start) / 1000)
    line.finish(`✓ fetched ${file}  ${mb(total)} MB${before}, ${seconds}`)
  }
  watchFetches({
    signal,
    onNotice: say,
    onEnd: end,
    onProgress({ file, done, total }) {
      if (total < leastTold) return
      const known = lines.get(file)
      const { line } = known ?? { line: createProgress() }
      if (!known) lines.set(file, { line, start: performance.now(), from: done })
      line.update(`fetching ${file} (MB)`, mb(done), mb(total))
    },
  })
}
