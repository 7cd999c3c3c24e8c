/**
 * Counters, gauges and histograms in memory, with names and labels of reference/operations.md
 * section 7. `render` gives the Prometheus text format, `snapshot` the same as data.
 */
import type { Labels, Metrics } from '../../ports/index.ts'

export interface HistogramValue {
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
  /** Upper bound and how many observations are at most that; ascending, the last one is infinite. */
  readonly buckets: readonly (readonly [upperBound: number, count: number])[]
}

export type Series =
  | {
      readonly name: string
      readonly labels: Labels
      readonly kind: 'counter' | 'gauge'
      readonly value: number
    }
  | {
      readonly name: string
      readonly labels: Labels
      readonly kind: 'histogram'
      readonly value: HistogramValue
    }

export interface MetricsRegistry extends Metrics {
  /** All series, sorted by name and labels. */
  snapshot(): Series[]
  /** Sum of a counter or gauge over the series that have (at least) these labels; 0 when none. */
  total(name: string, labels?: Labels): number
  /** The text that Prometheus scrapes. */
  render(): string
}

/** A metric keeps this many label combinations; more would be ids used as labels, and are dropped. */
const maxSeriesPerMetric = 500

const secondsBounds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300
]
const sizeBounds = [1, 10, 100, 1000, 10_000, 100_000, 1e6, 1e7, 1e8, 1e9, 1e10]

interface Histogram {
  count: number
  sum: number
  min: number
  max: number
  readonly bounds: readonly number[]
  readonly counts: number[]
}

interface ScalarCell {
  readonly kind: 'counter' | 'gauge'
  readonly labels: Labels
  value: number
}

interface HistogramCell {
  readonly kind: 'histogram'
  readonly labels: Labels
  readonly histogram: Histogram
}

type Cell = ScalarCell | HistogramCell
type Cells = Map<string, Map<string, Cell>>

export function createMetrics(): MetricsRegistry {
  const metrics: Cells = new Map()

  const drop = (name: string): void => {
    if (name !== droppedName) count(droppedName, 1, { metric: name })
  }

  const count = (name: string, by = 1, labels: Labels = {}): void => {
    const found = cellOf(metrics, name, 'counter', labels)
    if (found?.kind === 'counter' && by >= 0) found.value += by
    else drop(name)
  }

  return {
    count,
    gauge: (name, value, labels = {}) => {
      const found = cellOf(metrics, name, 'gauge', labels)
      if (found?.kind === 'gauge') found.value = value
      else drop(name)
    },
    observe: (name, value, labels = {}) => {
      const found = cellOf(metrics, name, 'histogram', labels)
      if (found?.kind === 'histogram' && Number.isFinite(value)) observe(found.histogram, value)
      else drop(name)
    },
    snapshot: () => series(metrics),
    total: (name, labels = {}) =>
      [...(metrics.get(name)?.values() ?? [])]
        .filter(item => Object.entries(labels).every(([key, value]) => item.labels[key] === value))
        .reduce((sum, item) => sum + ('value' in item ? item.value : item.histogram.sum), 0),
    render: () => render(series(metrics))
  }
}

/**
 * Estimate of a quantile from the buckets, by interpolation inside the one it falls in; 0 when empty.
 * `q` from 0 to 1.
 */
export function quantile(value: HistogramValue, q: number): number {
  if (value.count === 0) return 0
  const rank = q * value.count
  let below = 0
  let lower = value.min
  for (const [upper, cumulative] of value.buckets) {
    if (cumulative >= rank && cumulative > below) {
      const top = Math.min(upper, value.max)
      const share = (rank - below) / (cumulative - below)
      return Math.max(value.min, lower + (top - lower) * share)
    }
    below = cumulative
    lower = Math.max(lower, Math.min(upper, value.max))
  }
  return value.max
}

const droppedName = 'telemetry_observations_dropped_total'

/** The series of these labels, made at its first use; undefined when there are too many. */
function cellOf(
  metrics: Cells,
  name: string,
  kind: Cell['kind'],
  labels: Labels
): Cell | undefined {
  let cells = metrics.get(name)
  if (cells === undefined) {
    cells = new Map()
    metrics.set(name, cells)
  }
  const key = labelText(labels)
  const found = cells.get(key)
  if (found !== undefined || cells.size >= maxSeriesPerMetric) return found
  const made = newCell(name, kind, labels)
  cells.set(key, made)
  return made
}

function newCell(name: string, kind: Cell['kind'], labels: Labels): Cell {
  if (kind !== 'histogram') return { kind, labels, value: 0 }
  const bounds = name.endsWith('_seconds') ? secondsBounds : sizeBounds
  const counts = new Array<number>(bounds.length + 1).fill(0)
  const histogram = { count: 0, sum: 0, min: Infinity, max: -Infinity, bounds, counts }
  return { kind, labels, histogram }
}

function observe(histogram: Histogram, value: number): void {
  const found = histogram.bounds.findIndex(bound => value <= bound)
  const index = found < 0 ? histogram.bounds.length : found
  histogram.counts[index] = (histogram.counts[index] ?? 0) + 1
  histogram.count += 1
  histogram.sum += value
  histogram.min = Math.min(histogram.min, value)
  histogram.max = Math.max(histogram.max, value)
}

function series(metrics: ReadonlyMap<string, ReadonlyMap<string, Cell>>): Series[] {
  const sorted = [...metrics].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.flatMap(([name, cells]) =>
    [...cells]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, item]): Series => {
        const { labels } = item
        if (item.kind !== 'histogram') return { name, labels, kind: item.kind, value: item.value }
        return { name, labels, kind: 'histogram', value: histogramValue(item.histogram) }
      })
  )
}

function histogramValue({ count, sum, min, max, bounds, counts }: Histogram): HistogramValue {
  let cumulative = 0
  const buckets = counts.map((n, index) => {
    cumulative += n
    return [bounds[index] ?? Number.POSITIVE_INFINITY, cumulative] as const
  })
  return { count, sum, min: count === 0 ? 0 : min, max: count === 0 ? 0 : max, buckets }
}

function render(all: readonly Series[]): string {
  const lines: string[] = []
  let previous = ''
  for (const item of all) {
    if (item.name !== previous) lines.push(`# TYPE ${item.name} ${item.kind}`)
    previous = item.name
    if (item.kind !== 'histogram') {
      lines.push(`${item.name}${labelText(item.labels)} ${item.value}`)
      continue
    }
    for (const [bound, count] of item.value.buckets) {
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound)
      lines.push(`${item.name}_bucket${labelText({ ...item.labels, le })} ${count}`)
    }
    lines.push(`${item.name}_sum${labelText(item.labels)} ${item.value.sum}`)
    lines.push(`${item.name}_count${labelText(item.labels)} ${item.value.count}`)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  if (pairs.length === 0) return ''
  return `{${pairs.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
