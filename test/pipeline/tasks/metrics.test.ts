import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { metricRegistry } from '../../../src/pipeline/tasks/metric-registry.js'
import { taskMetrics } from '../../../src/pipeline/tasks/metrics.js'
import { parseMetricsAddress, serveMetrics } from '../../../src/pipeline/tasks/serve-metrics.js'
import { parsePrometheusText } from '../../helpers/prometheus-text.js'

describe('metrics', () => {
  it('are told as they were counted, whatever their labels and helps are', async () => {
    const label = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', 'é', '{', '}', ',', '=', ' ') })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(label, label, fc.double())), label, async (values, help) => {
        const registry = metricRegistry()
        const gauge = registry.gauge('a_gauge', help)
        const counter = registry.counter('a_counter', help)
        const expected = new Map<string, number>()
        for (const [first, second, value] of values) {
          gauge.set({ first, second }, value)
          counter.add({ second, first })
          expected.set(JSON.stringify([first, second]), value)
        }
        const metrics = parsePrometheusText(await registry.text())
        expect([...metrics.keys()]).toEqual(['a_gauge', 'a_counter_total'])
        const { type, help: told, samples } = metrics.get('a_gauge')!
        expect({ type, told }).toEqual({ type: 'gauge', told: help })
        const found = samples.map(({ labels, value }) => [
          JSON.stringify([labels.first, labels.second]),
          value + 0,
        ])
        expect(new Map(found as [string, number][])).toEqual(
          new Map([...expected].map(([key, value]) => [key, value + 0])),
        )
        const sum = metrics.get('a_counter_total')!.samples.reduce((all, { value }) => all + value, 0)
        expect(sum).toBe(values.length)
      }),
    )
  })

  it('put what is observed into buckets that add up', async () => {
    const registry = metricRegistry()
    const histogram = registry.histogram('seconds', 'Time.', [1, 5, 10])
    for (const seconds of [0.5, 1, 1.5, 5, 100]) histogram.observe({ stage: 'label' }, seconds)
    const { samples } = parsePrometheusText(await registry.text()).get('seconds')!
    const told = samples.map(({ name, labels, value }) => [name, labels.le, value])
    expect(told).toEqual([
      ['seconds_bucket', '1', 2],
      ['seconds_bucket', '5', 4],
      ['seconds_bucket', '10', 4],
      ['seconds_bucket', '+Inf', 5],
      ['seconds_sum', undefined, 108],
      ['seconds_count', undefined, 5],
    ])
  })

  it('refuse a name that is none, or that there is already', () => {
    const registry = metricRegistry()
    registry.gauge('a', '')
    expect(() => registry.gauge('a', '')).toThrow('already')
    expect(() => registry.gauge('a-b', '')).toThrow('no name')
  })
})

describe('metrics of tasks', () => {
  it('count what was made, and what this process takes', async () => {
    const metrics = taskMetrics()
    metrics.ended({ stage: 'web', state: 'made', seconds: 3, rows: 80, rejected: { http_404: 20 } })
    metrics.ended({ stage: 'web', state: 'made', seconds: 300, rows: 90, rejected: { http_404: 9, dns: 1 } })
    metrics.ended({ stage: 'web', state: 'skipped', seconds: 0.01, rows: 100 })
    metrics.ended({ stage: 'label', state: 'failed', seconds: 1 })
    metrics.underWay({ web: 1 })
    metrics.underWay({ label: 2 })
    metrics.workers(3)
    const parsed = parsePrometheusText(await metrics.registry.text())
    const valuesOf = (name: string) =>
      Object.fromEntries(
        (parsed.get(name)?.samples ?? []).map(({ labels, value }) => [
          Object.values(labels).join(' '),
          value,
        ]),
      )
    expect(valuesOf('groundmill_tasks_total')).toEqual({ 'web made': 2, 'web skipped': 1, 'label failed': 1 })
    expect(valuesOf('groundmill_rows_total')).toEqual({ web: 170 })
    expect(valuesOf('groundmill_rows_rejected_total')).toEqual({ 'http_404 web': 29, 'dns web': 1 })
    expect(valuesOf('groundmill_tasks_under_way')).toEqual({ label: 2 })
    expect(valuesOf('groundmill_workers')).toEqual({ '': 3 })
    expect(parsed.get('groundmill_task_duration_seconds')?.samples.at(-1)).toMatchObject({ value: 2 })
    expect(valuesOf('process_resident_memory_bytes')['']).toBeGreaterThan(1e7)
    const cpu = valuesOf('process_cpu_seconds_total')[''] ?? 0
    expect(cpu).toBeCloseTo((process.cpuUsage().user + process.cpuUsage().system) / 1e6, 0)
    const start = valuesOf('process_start_time_seconds')[''] ?? 0
    expect(start).toBeCloseTo(Date.now() / 1000 - process.uptime(), 0)
  })
})

describe('the server of metrics', () => {
  it('answers at its one address', async () => {
    const { registry } = taskMetrics()
    const server = await serveMetrics(registry, { host: '127.0.0.1', port: 0 })
    const answer = await fetch(server.url)
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(parsePrometheusText(await answer.text()).has('process_cpu_seconds_total')).toBe(true)
    const again = parsePrometheusText(await (await fetch(`${server.url}?from=scraper`)).text())
    expect(again.get('process_cpu_seconds_total')?.samples[0]?.value).toBeGreaterThan(0)
    expect((await fetch(server.url.replace('/metrics', '/'))).status).toBe(404)
    expect((await fetch(server.url, { method: 'POST' })).status).toBe(405)
    expect(await (await fetch(server.url, { method: 'HEAD' })).text()).toBe('')
    await server.close()
    await expect(fetch(server.url)).rejects.toThrow()
  })

  it('says where it cannot listen', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    const serving = serveMetrics(metricRegistry(), { host: '127.0.0.1', port })
    await expect(serving).rejects.toThrow(UserError)
    await expect(serving).rejects.toThrow(
      `--metrics: cannot listen at 127.0.0.1:${port} (it is taken): name another port.`,
    )
    taken.close()
  })

  it.each([
    ['9464', '127.0.0.1', 9464],
    ['0.0.0.0:80', '0.0.0.0', 80],
    ['[::1]:0', '::1', 0],
    ['node-3.lan:9464', 'node-3.lan', 9464],
  ])('takes %s', (text, host, port) => expect(parseMetricsAddress(text)).toEqual({ host, port }))

  it.each(['', 'x', '70000', ':80', 'a:b', '::1:80', '1.5'])('does not take "%s"', (text) =>
    expect(() => parseMetricsAddress(text)).toThrow('expected PORT or HOST:PORT'),
  )
})
