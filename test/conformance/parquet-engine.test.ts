/** DuckDB's engine and the one for tests keep the same contract, so that what the latter shows is true. */
import { openDuckDb } from '../../src/adapters/duckdb/index.ts'
import { openMemoryParquet } from '../helpers/memory-parquet.ts'
import { parquetEngineConformance } from './parquet-engine.conformance.ts'

parquetEngineConformance('DuckDB', () => openDuckDb())
parquetEngineConformance('DuckDB with two threads', () => openDuckDb({ threads: 2 }))
parquetEngineConformance('memory', async () => openMemoryParquet())
