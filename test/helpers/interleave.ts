/** What stands before an operation of a writer: it waits there until the schedule lets it go on. */
export type Step = (what: string) => Promise<void>

/** One of several that work on the same things. */
export interface Writer {
  readonly name: string
  run(step: Step): Promise<unknown>
}

/** What a schedule does to the one that is at work. */
export interface Switch {
  /** After so many of its steps. */
  readonly after: number
  /** It is stopped for a while, killed, or stopped for so long that the others take it for dead. */
  readonly how: 'pause' | 'kill' | 'freeze'
  /** Which of the others goes on, counted from it. */
  readonly to: number
}

export interface Outcome {
  readonly name: string
  readonly how: 'ended' | 'failed' | 'killed'
  readonly error?: unknown
}

/** A step that begins so gives the others their turn: it waits for what one of them does. */
export const waiting = 'wait'
/** A step that begins so is of somebody who waits, and finds out for whom. */
export const looking = 'look'

export interface Hooks {
  /** Called after every step; what it throws ends all. */
  stepped(): void
  /** So much time goes by that who has not moved is taken for dead. */
  timePasses(): void
}

interface State {
  readonly writer: Writer
  /** Where it waits, and what lets it go on. */
  at?: { readonly what: string; readonly go: () => void }
  outcome?: Outcome
}

/** More steps than any schedule needs. */
const mostSteps = 5_000

/** Throws the error of the trace of what went before with it. */
export class InterleaveError extends Error {
  constructor(trace: readonly string[], cause: unknown) {
    super([(cause as Error).message, ...trace].join('\n'), { cause })
  }
}

/**
 * Lets writers work at once, but only one of them move at a time, from one step to the next: the same schedule
 * gives the same course of things, whatever the machine does. A writer works until the schedule takes the turn
 * from it, it waits for another, or it ends. Who is killed never moves again: none of its `finally` is run.
 *
 * @throws InterleaveError with all steps in their order, where a hook throws or there is no end
 */
export async function interleave(
  writers: readonly Writer[],
  switches: readonly Switch[],
  hooks: Hooks,
): Promise<readonly Outcome[]> {
  const trace: string[] = []
  const states: State[] = writers.map((writer) => ({ writer }))
  const left = [...switches]
  try {
    let current = states[0]
    let steps = 0
    let waits = 0
    for (let total = 0; current; total++) {
      if (total === mostSteps) throw new Error(`there is no end after ${mostSteps} steps`)
      await move(current)
      const { writer, outcome, at } = current
      trace.push(`${writer.name}: ${outcome?.how ?? at?.what}`)
      hooks.stepped()
      steps++
      const others = othersOf(states, current)
      const isWaiting = at?.what.startsWith(waiting) === true
      if (isWaiting) waits++
      else if (!at?.what.startsWith(looking)) waits = 0
      // All that live wait for one that does not move.
      if (waits > others.length) {
        trace.push('time passes')
        hooks.timePasses()
        waits = 0
      }
      const next = left[0]
      if (outcome || isWaiting) {
        if (outcome || others.length > 0) [current, steps] = [others[0], 0]
      } else if (next && steps > next.after) {
        left.shift()
        trace.push(`${writer.name}: ${next.how}`)
        if (next.how === 'kill') current.outcome = { name: writer.name, how: 'killed' }
        if (next.how === 'freeze') hooks.timePasses()
        if (next.how === 'kill' || others.length > 0)
          [current, steps] = [others[next.to % (others.length || 1)], 0]
      }
    }
  } catch (error) {
    throw new InterleaveError(trace, error)
  }
  return states.map(({ outcome }) => outcome as Outcome)
}

/** Those that live, in their order from one on, without it. */
function othersOf(states: readonly State[], one: State): State[] {
  const at = states.indexOf(one)
  return [...states.slice(at + 1), ...states.slice(0, at)].filter(({ outcome }) => outcome === undefined)
}

/** Lets a writer go on to its next step or its end. */
function move(state: State): Promise<void> {
  return new Promise((arrived) => {
    const { at, writer } = state
    if (at) {
      state.at = undefined
      resumed.set(state, arrived)
      at.go()
      return
    }
    resumed.set(state, arrived)
    const step: Step = (what) =>
      new Promise((go) => {
        state.at = { what, go }
        resumed.get(state)?.()
      })
    const end = (outcome: Omit<Outcome, 'name'>) => {
      state.outcome ??= { name: writer.name, ...outcome }
      resumed.get(state)?.()
    }
    writer.run(step).then(
      () => end({ how: 'ended' }),
      (error: unknown) => end({ how: 'failed', error }),
    )
  })
}

/** Who waits for a writer to arrive at its next step. */
const resumed = new WeakMap<State, () => void>()
