import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { metricRegistry, metricsContentType } from '../../../src/pipeline/tasks/metric-registry.js'
import { taskMetrics } from '../../../src/pipeline/tasks/metrics.js'
import { parseMetricsAddress, serveMetrics } from '../../../src/pipeline/tasks/serve-metrics.js'
import { parsePrometheusText } from '../../helpers/prometheus-text.js'

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

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
    for (const name of ['a-b', '1a', '', 'a b', 'a\n']) {
      expect(() => registry.gauge(name, '')).toThrow('no name')
    }
    expect(() => registry.gauge('_a:1', '')).not.toThrow()
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

  it('tell of this process anew each time', async () => {
    const { registry } = taskMetrics()
    const told = async (name: string) =>
      parsePrometheusText(await registry.text()).get(name)?.samples[0]?.value ?? -1
    for (let scrape = 0; scrape < 5; scrape++) await registry.text()
    const used = process.cpuUsage()
    expect(await told('process_cpu_seconds_total')).toBeGreaterThanOrEqual((used.user + used.system) / 1e6)
    expect(await told('process_cpu_seconds_total')).toBeLessThan((used.user + used.system) / 1e6 + 5)
    expect(await told('nodejs_heap_size_used_bytes')).toBeGreaterThan(1e6)
    expect(await told('nodejs_heap_size_used_bytes')).toBeLessThan(
      await told('process_resident_memory_bytes'),
    )
    const start = await told('process_start_time_seconds')
    expect(Math.round(start * 1000) / 1000).toBe(start)
  })

  it.runIf(existsSync('/proc/self/limits'))('tell of the files that this process has open', async () => {
    const { registry } = taskMetrics()
    const metrics = parsePrometheusText(await registry.text())
    const [open, most] = ['process_open_fds', 'process_max_fds'].map(
      (name) => metrics.get(name)?.samples[0]?.value,
    )
    expect(open).toBeGreaterThan(2)
    expect(most).toBeGreaterThan(open as number)
  })

  it('have buckets from a tenth of a second to hours', async () => {
    const { registry, ended } = taskMetrics()
    ended({ stage: 'web', state: 'made', seconds: 0.2 })
    const { samples } = parsePrometheusText(await registry.text()).get('groundmill_task_duration_seconds')!
    const below = samples.flatMap(({ labels, value }) =>
      labels.le !== undefined && value === 0 ? [labels.le] : [],
    )
    expect(below).toEqual(['0.1'])
    // Without rows and rejects it is told that none came out.
    const rows = parsePrometheusText(await registry.text()).get('groundmill_rows_total')
    expect(rows?.samples).toMatchObject([{ labels: { stage: 'web' }, value: 0 }])
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

  it('says what could not be told', async () => {
    const registry = metricRegistry()
    registry.onScrape(() => {
      throw new Error('no such run')
    })
    const server = await serveMetrics(registry, { host: '127.0.0.1', port: 0 })
    const answer = await fetch(server.url)
    expect([answer.status, await answer.text()]).toEqual([500, 'no such run\n'])
    expect(answer.headers.get('content-type')).toBe('text/plain')
    const other = await fetch(server.url.replace('/metrics', '/'), { method: 'POST' })
    expect([other.status, other.headers.get('content-type')]).toEqual([404, 'text/plain'])
    expect(await other.text()).not.toBe('')
    const changed = await fetch(server.url, { method: 'DELETE' })
    expect([changed.status, changed.headers.get('content-type')]).toEqual([405, 'text/plain'])
    expect(await changed.text()).not.toBe('')
    await server.close()
  })

  it('has an address that can be asked, whatever the host', async () => {
    const server = await serveMetrics(metricRegistry(), { host: 'localhost', port: 0 })
    expect(server.url).toMatch(/^http:\/\/localhost:[1-9]\d*\/metrics$/)
    const answer = await fetch(server.url, { method: 'HEAD' })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, metricsContentType])
    await server.close()
    // An address that is no machine's here.
    const far = serveMetrics(metricRegistry(), { host: '203.0.113.7', port: 9464 })
    await expect(far).rejects.toThrow(
      /^203\.0\.113\.7 is no address of this machine: name one with --metrics/,
    )
  })

  it.runIf(hasIpv6)('has an address of version 6 in brackets', async () => {
    const server = await serveMetrics(metricRegistry(), { host: '::1', port: 0 })
    expect((await fetch(server.url)).status).toBe(200)
    await server.close()
  })

  it('says where it cannot listen', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    const serving = serveMetrics(metricRegistry(), { host: '127.0.0.1', port })
    await expect(serving).rejects.toThrow(UserError)
    await expect(serving).rejects.toThrow(
      `port ${port} of 127.0.0.1 is taken: name another with --metrics, or stop the program that listens there.`,
    )
    taken.close()
  })

  it.each([
    ['9464', '127.0.0.1', 9464],
    ['0.0.0.0:80', '0.0.0.0', 80],
    ['[::1]:0', '::1', 0],
    ['node-3.lan:9464', 'node-3.lan', 9464],
    ['65535', '127.0.0.1', 65_535],
  ])('takes %s', (text, host, port) => expect(parseMetricsAddress(text)).toEqual({ host, port }))

  it.each(['', 'x', '70000', '65536', '[]:80', 'a:', '80 ', ' 80', 'a:80b', ':80', 'a:b', '::1:80', '1.5'])(
    'does not take "%s"',
    (text) => expect(() => parseMetricsAddress(text)).toThrow('expected PORT or HOST:PORT'),
  )
})
