import { killSelf } from '../../base/kill-self.js'
import { isJsonAsked } from './json-asked.js'

/**
 * A second signal within this time is the same Ctrl-C: npm passes on to its child what the terminal has sent
 * it.
 */
const echoMs = 400

/**
 * A signal that the first Ctrl-C or SIGTERM aborts, so that the work stops where it can go on later. The
 * second ends the process at once, whatever it does, as by an interrupt: shells show 130.
 */
export function listenForInterrupts(): AbortSignal {
  const interrupt = new AbortController()
  let first = 0
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!interrupt.signal.aborted) {
        first = performance.now()
        interrupt.abort(new DOMException('interrupted', 'AbortError'))
      } else if (performance.now() - first > echoMs) killSelf('SIGINT')
    })
  }
  return interrupt.signal
}

/** Ends the program without a word when whoever reads its output has enough: `groundmill stats … | head`. */
export function endWithReader(): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    process.exit(code === 'EPIPE' ? process.exitCode : 1)
  })
  // The work goes on when the reader of its progress has gone.
  process.stderr.on('error', () => {})
}

/** Code with which Node ends a program whose main module still waits for something that can never come. */
const unsettled = 13

/** Says so, and ends with 1, where the program ends before its work has come to an end or to an error. */
export function tellOfEarlyEnd(): void {
  process.on('exit', (code) => {
    if (code !== unsettled) return
    process.exitCode = 1
    const message =
      'the program ended before its work did, which is a defect of groundmill; run the same command again to go on'
    process.stderr.write(`groundmill: ${message}\n`)
    // As printError has it, whose module every start of the program would load for this: no stranger's words are in it.
    if (isJsonAsked()) process.stdout.write(`${JSON.stringify({ error: { message, code: 1 } })}\n`)
  })
}
