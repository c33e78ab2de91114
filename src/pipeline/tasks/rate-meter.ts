/** Units a second over the last minute of what is counted under one name. */
export interface RateMeter {
  /** @param units since the beginning; fewer than before are those of a task that was begun again */
  add(name: string, units: number): void
  rate(): number
}

const windowMs = 60_000
const steps = 30

/** @param now the clock, in milliseconds */
export function rateMeter(now: () => number = () => performance.now()): RateMeter {
  let label: string | undefined
  let points: { readonly at: number; units: number }[] = []
  return {
    add(name, units) {
      const last = points.at(-1)
      if (name !== label || (last && units < last.units)) points = []
      label = name
      const at = now()
      const end = points.at(-1)
      // A new point every two seconds: progress may come a thousand times as often.
      if (end && points.length > 1 && at - points.at(-2)!.at < windowMs / steps) {
        points[points.length - 1] = { at, units }
      } else points.push({ at, units })
      while (points.length > 2 && at - points[1]!.at > windowMs) points.shift()
    },
    rate() {
      const [first, last] = [points[0], points.at(-1)]
      if (!first || !last || last.at - first.at < 200) return 0
      // What stands still grows slower with every second.
      return ((last.units - first.units) / Math.max(last.at - first.at, now() - first.at)) * 1000
    },
  }
}
