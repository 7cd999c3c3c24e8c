/** A Delta engine for tests: DuckDB, a store in memory or in a directory of its own, the real clock. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDuckDb } from '../../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../../src/adapters/local-files/index.ts'
import { openMemoryObjectStore } from '../../src/adapters/memory/index.ts'
import { systemClock, systemIds } from '../../src/adapters/system/index.ts'
import type { DeltaPorts } from '../../src/delta/index.ts'
import type { ObjectStore } from '../../src/ports/index.ts'

export interface TestDelta {
  readonly root: string
  readonly ports: DeltaPorts
  readonly options: { readonly scratch: string }
  /** The same engine and scratch directory over another store. */
  over(store: ObjectStore): DeltaPorts
  [Symbol.asyncDispose](): Promise<void>
}

export async function openTestDelta(kind: 'memory' | 'local' = 'local'): Promise<TestDelta> {
  const root = await mkdtemp(join(tmpdir(), 'delta-'))
  const engine = await openDuckDb()
  const store =
    kind === 'memory' ? openMemoryObjectStore() : openLocalFiles({ root: join(root, 'tables') })
  const over = (other: ObjectStore): DeltaPorts => ({
    store: other,
    engine,
    clock: systemClock(),
    ids: systemIds()
  })
  return {
    root,
    ports: over(store),
    options: { scratch: join(root, 'scratch') },
    over,
    [Symbol.asyncDispose]: async () => {
      await engine.close()
      await store.close()
      await rm(root, { recursive: true, force: true })
    }
  }
}
