/** Ready adapters for the ports of the engine, for those who put it together themselves. */
import { type MemoryObjectStoreOptions, openMemoryObjectStore } from '../adapters/memory/index.ts'
import { systemClock } from '../adapters/system/index.ts'
import type { ObjectStore } from '../ports/index.ts'

export { type DuckDbOptions, openDuckDb as duckDbEngine } from '../adapters/duckdb/index.ts'
export { openLocalFiles as localFiles } from '../adapters/local-files/index.ts'
export type { MemoryObjectStoreOptions } from '../adapters/memory/index.ts'
export { systemClock, systemIds } from '../adapters/system/index.ts'

/** Objects in memory, for tests: gone when the store is closed. */
export function memoryObjectStore(options: MemoryObjectStoreOptions = {}): ObjectStore {
  return openMemoryObjectStore({ now: options.now ?? systemClock().now })
}
