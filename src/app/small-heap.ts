import { setFlagsFromString } from 'node:v8'

/**
 * Makes V8 collect earlier than it would on a machine with much memory: batches of rows are garbage soon,
 * and it would keep hundreds of megabytes of them. Measured, this halves the resident size at the same
 * throughput (docs/benchmarks.md). Call it first thing.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
}
