type Labels = Readonly<Record<string, string>>

/** Numbers under one name, told apart by their labels. */
interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Its lines: the name, with a suffix of histograms, the labels, the number. */
  samples(): Iterable<readonly [suffix: string, labels: Labels, value: number]>
}

export interface Counter {
  add(labels: Labels, more?: number): void
}
export interface Gauge {
  set(labels: Labels, value: number): void
  /** Forgets what was set: who sets all of it anew leaves nothing that is no more. */
  clear(): void
}
export interface Histogram {
  observe(labels: Labels, value: number): void
}

/** What is counted, and how it is told (Prometheus text format 0.0.4). */
export interface MetricRegistry {
  /** @param name without its `_total`, which counters have */
  counter(name: string, help: string): Counter
  gauge(name: string, help: string): Gauge
  /** @param edges upper edges of its buckets, rising */
  histogram(name: string, help: string, edges: readonly number[]): Histogram
  /** Is called before the metrics are told, to set what is only looked up then. */
  onScrape(look: () => void | Promise<void>): void
  text(): Promise<string>
}

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** A registry without metrics. */
export function metricRegistry(): MetricRegistry {
  const metrics = new Map<string, Metric>()
  const looks: (() => void | Promise<void>)[] = []
  const add = (metric: Metric) => {
    if (!/^[a-zA-Z_:][\w:]*$/.test(metric.name)) throw new Error(`"${metric.name}" is no name of a metric`)
    if (metrics.has(metric.name)) throw new Error(`there is a metric ${metric.name} already`)
    metrics.set(metric.name, metric)
  }
  return {
    counter(name, help) {
      const values = valuesByLabels<number>()
      add({
        name: `${name}_total`,
        help,
        type: 'counter',
        samples: () => values.all().map(([labels, value]) => ['', labels, value]),
      })
      return { add: (labels, more = 1) => values.change(labels, (before = 0) => before + more) }
    },
    gauge(name, help) {
      const values = valuesByLabels<number>()
      const samples = () => values.all().map(([labels, value]) => ['', labels, value] as const)
      add({ name, help, type: 'gauge', samples })
      return { set: (labels, value) => values.change(labels, () => value), clear: values.clear }
    },
    histogram(name, help, edges) {
      const values = valuesByLabels<{ readonly counts: number[]; sum: number }>()
      const samples = () =>
        values.all().flatMap(([labels, { counts, sum }]) => {
          let below = 0
          const buckets = [...edges, Number.POSITIVE_INFINITY].map((edge, index) => {
            below += counts[index] ?? 0
            return ['_bucket', { ...labels, le: numberText(edge) }, below] as const
          })
          return [...buckets, ['_sum', labels, sum] as const, ['_count', labels, below] as const]
        })
      add({ name, help, type: 'histogram', samples })
      return {
        observe(labels, value) {
          const bucket = edges.findIndex((edge) => value <= edge)
          values.change(labels, (before = { counts: Array(edges.length + 1).fill(0), sum: 0 }) => {
            before.counts[bucket < 0 ? edges.length : bucket]!++
            before.sum += value
            return before
          })
        },
      }
    },
    onScrape: (look) => void looks.push(look),
    async text() {
      for (const look of looks) await look()
      return [...metrics.values()].map(metricText).join('')
    },
  }
}

/** Values by sets of labels, in whatever order the labels are given. */
function valuesByLabels<T>() {
  const values = new Map<string, { readonly labels: Labels; readonly value: T }>()
  return {
    change(labels: Labels, next: (before: T | undefined) => T) {
      const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
      const key = JSON.stringify(sorted)
      values.set(key, { labels: Object.fromEntries(sorted), value: next(values.get(key)?.value) })
    },
    all: () => [...values.values()].map(({ labels, value }) => [labels, value] as const),
    clear: () => values.clear(),
  }
}

function metricText({ name, help, type, samples }: Metric): string {
  const lines = [...samples()].map(([suffix, labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text, true)}"`)
    return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${numberText(value)}\n`
  })
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function escaped(text: string, isLabel = false): string {
  const lines = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return isLabel ? lines.replaceAll('"', '\\"') : lines
}

const numberText = (value: number): string =>
  Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
