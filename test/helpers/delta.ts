/** A Delta engine for tests: DuckDB, a store in memory or in a directory of its own, the real clock. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDuckDb } from '../../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../../src/adapters/local-files/index.ts'
import { openMemoryObjectStore } from '../../src/adapters/memory/index.ts'
import { systemClock, systemIds } from '../../src/adapters/system/index.ts'
import { type DeltaPorts, DeltaTable, type TableSpec } from '../../src/delta/index.ts'
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

/** A table that deletes rows by vectors: the properties, and the protocol as version 1. */
export async function openVectorTable(
  delta: TestDelta,
  name: string,
  spec: TableSpec,
  ports: DeltaPorts = delta.ports
): Promise<DeltaTable> {
  const features = ['deletionVectors']
  const protocol = {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: features,
    writerFeatures: [...features, 'appendOnly', 'invariants']
  }
  const properties = { 'delta.enableDeletionVectors': 'true', ...spec.properties }
  await DeltaTable.openOrCreate(name, { ...spec, properties }, ports, delta.options)
  const path = `${name}/_delta_log/${'1'.padStart(20, '0')}.json`
  await ports.store.put(path, Buffer.from(JSON.stringify({ protocol })), { ifAbsent: true })
  return await DeltaTable.open(name, ports, delta.options)
}
