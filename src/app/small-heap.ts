import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8's young generation at its first size. Batches of rows make much short-lived garbage, for which
 * V8 would grow it to three times 32 MB; measured, that is 130 MB more resident for no more throughput
 * (docs/benchmarks.md). Call it first thing.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--max-semi-space-size=8')
  setFlagsFromString('--semi-space-growth-factor=1')
}
