import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMetrics, quantile } from '../../../../src/adapters/telemetry/index.ts'

describe('metrics registry', () => {
  it('adds up counters by labels, whatever the order of the labels', () => {
    const metrics = createMetrics()
    metrics.count('calls_total', 2, { endpoint: 'E1', status: '200' })
    metrics.count('calls_total', 3, { status: '200', endpoint: 'E1' })
    metrics.count('calls_total', 1, { endpoint: 'E2', status: '200' })
    assert.equal(metrics.total('calls_total'), 6)
    assert.equal(metrics.total('calls_total', { endpoint: 'E1' }), 5)
    assert.equal(metrics.total('absent'), 0)
    assert.equal(metrics.snapshot().length, 2)
  })

  it('keeps the last value of a gauge', () => {
    const metrics = createMetrics()
    metrics.gauge('lag', 5)
    metrics.gauge('lag', 2)
    assert.deepEqual(metrics.snapshot(), [{ name: 'lag', labels: {}, kind: 'gauge', value: 2 }])
  })

  it('estimates quantiles within the width of a bucket', () => {
    const metrics = createMetrics()
    for (let i = 1; i <= 1000; i += 1) metrics.observe('call_seconds', i / 1000)
    const [series] = metrics.snapshot()
    assert.ok(series?.kind === 'histogram')
    assert.equal(series.value.count, 1000)
    assert.ok(Math.abs(quantile(series.value, 0.5) - 0.5) < 0.01)
    assert.ok(Math.abs(quantile(series.value, 0.95) - 0.95) < 0.02)
    assert.equal(quantile(series.value, 1), 1)
  })

  it('renders the Prometheus text format with cumulative buckets and escaped labels', () => {
    const metrics = createMetrics()
    metrics.count('calls_total', 1, { path: 'a"b\\c\nd' })
    metrics.observe('size_bytes', 50)
    const text = metrics.render()
    assert.match(text, /^# TYPE calls_total counter\ncalls_total\{path="a\\"b\\\\c\\nd"\} 1\n/)
    assert.match(text, /# TYPE size_bytes histogram\n/)
    assert.match(text, /size_bytes_bucket\{le="10"\} 0\n/)
    assert.match(text, /size_bytes_bucket\{le="100"\} 1\n/)
    assert.match(
      text,
      /size_bytes_bucket\{le="\+Inf"\} 1\nsize_bytes_sum 50\nsize_bytes_count 1\n$/
    )
  })

  it('stays bounded when ids are used as labels, and counts what it dropped', () => {
    const metrics = createMetrics()
    for (let id = 0; id < 2000; id += 1) metrics.count('events_total', 1, { id: String(id) })
    assert.equal(metrics.total('events_total'), 500)
    assert.equal(metrics.total('telemetry_observations_dropped_total'), 1500)
  })

  it('drops negative counts, values that are no numbers, and a name used for two kinds', () => {
    const metrics = createMetrics()
    metrics.count('a_total', -1)
    metrics.observe('b_seconds', Number.NaN)
    metrics.count('c')
    metrics.gauge('c', 9)
    assert.equal(metrics.total('a_total'), 0)
    assert.equal(metrics.total('c'), 1)
    assert.equal(metrics.total('telemetry_observations_dropped_total'), 3)
  })
})
