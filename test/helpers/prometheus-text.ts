/** A metric as a scraper reads it. */
export interface ParsedMetric {
  readonly type: string
  readonly help: string
  readonly samples: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
  }[]
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

/**
 * Reads Prometheus' text format 0.0.4 as strictly as its text says: HELP and TYPE before the samples of each
 * metric, all of them together, no sample twice, whole histograms. Throws an Error that quotes the line.
 */
export function parsePrometheusText(text: string): Map<string, ParsedMetric> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const metrics = new Map<string, ParsedMetric>()
  const seen = new Set<string>()
  let help: { readonly name: string; readonly text: string } | undefined
  let current: { readonly name: string; readonly metric: ParsedMetric } | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const bad = (what: string) => new Error(`${what}: ${line}`)
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line)
    if (comment) {
      const [, kind, name = '', rest = ''] = comment
      if (metrics.has(name)) throw bad('a second time')
      if (kind === 'HELP') {
        if (!/^(?:[^\\]|\\[\\n])*$/.test(rest)) throw bad('an escape that is none')
        help = { name, text: rest.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char)) }
      } else {
        if (!(rest in suffixes)) throw bad('no type')
        if (help?.name !== name) throw bad('a type without help')
        current = { name, metric: { type: rest, help: help.text, samples: [] } }
        metrics.set(name, current.metric)
      }
      continue
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (!sample || !current) throw bad('no sample')
    const [, name = '', inner, number = ''] = sample
    if (!suffixes[current.metric.type]?.some((suffix) => name === `${current?.name}${suffix}`))
      throw bad('of another metric')
    const labels = inner === undefined ? {} : parseLabels(inner, bad)
    if (!/^([+-]?Inf|NaN|[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?)$/.test(number)) throw bad('no number')
    const key = JSON.stringify([name, Object.entries(labels).sort()])
    if (seen.has(key)) throw bad('twice')
    seen.add(key)
    current.metric.samples.push({ name, labels, value: Number(number.replace('Inf', 'Infinity')) })
  }
  for (const [name, metric] of metrics) if (metric.type === 'histogram') checkHistogram(name, metric)
  return metrics
}

function parseLabels(inner: string, bad: (what: string) => Error): Record<string, string> {
  const labels: Record<string, string> = {}
  let rest = inner
  while (rest !== '') {
    const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/.exec(rest)
    if (!match) throw bad('no label')
    const [all, label = '', value = ''] = match
    if (label in labels) throw bad('a label twice')
    labels[label] = value.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char))
    rest = rest.slice(all.length)
  }
  return labels
}

function checkHistogram(name: string, { samples }: ParsedMetric): void {
  const rows = new Map<string, { counts: number[]; edges: string[]; count?: number; sum?: number }>()
  for (const { name: full, labels, value } of samples) {
    const { le, ...others } = labels
    const key = JSON.stringify(Object.entries(others).sort())
    const row = rows.get(key) ?? { counts: [], edges: [] }
    rows.set(key, row)
    if (full.endsWith('_bucket')) {
      if (le === undefined) throw new Error(`${name}: a bucket without an edge`)
      row.edges.push(le)
      row.counts.push(value)
    } else if (full.endsWith('_count')) row.count = value
    else row.sum = value
  }
  for (const { counts, edges, count, sum } of rows.values()) {
    const isRising = counts.every((value, index) => index === 0 || value >= (counts[index - 1] ?? 0))
    const rising = edges.map((edge) => Number(edge.replace('+Inf', 'Infinity')))
    const isSorted = rising.every((edge, index) => index === 0 || edge > (rising[index - 1] ?? 0))
    if (!isRising || !isSorted || edges.at(-1) !== '+Inf' || counts.at(-1) !== count || sum === undefined)
      throw new Error(`${name} is no histogram`)
  }
}
