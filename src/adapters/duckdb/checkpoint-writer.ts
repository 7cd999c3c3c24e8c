/** Writes checkpoint files: actions as JSON on one side, Parquet with nested columns on the other. */
import { rm, stat, writeFile } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { identifier, literal } from './sql.ts'
import { syncFile } from './write.ts'

const TEXT_MAP = 'MAP(VARCHAR, VARCHAR)'
const VECTOR =
  'STRUCT(storageType VARCHAR, pathOrInlineDv VARCHAR, "offset" INTEGER, sizeInBytes INTEGER, cardinality BIGINT, maxRowIndex BIGINT)'

/** The checkpoint schema of PROTOCOL.md, as far as tables that we write to can fill it. */
const COLUMNS: Readonly<Record<string, string>> = {
  txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)',
  add: `STRUCT(path VARCHAR, partitionValues ${TEXT_MAP}, size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, tags ${TEXT_MAP}, stats VARCHAR, deletionVector ${VECTOR}, baseRowId BIGINT, defaultRowCommitVersion BIGINT, clusteringProvider VARCHAR)`,
  remove: `STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, partitionValues ${TEXT_MAP}, size BIGINT, deletionVector ${VECTOR}, baseRowId BIGINT, defaultRowCommitVersion BIGINT)`,
  metaData: `STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options ${TEXT_MAP}), schemaString VARCHAR, partitionColumns VARCHAR[], configuration ${TEXT_MAP}, createdTime BIGINT)`,
  protocol:
    'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], writerFeatures VARCHAR[])',
  domainMetadata: 'STRUCT("domain" VARCHAR, "configuration" VARCHAR, removed BOOLEAN)'
}

export async function writeCheckpointFile(
  connection: DuckDBConnection,
  target: string,
  actions: readonly string[]
): Promise<number> {
  const lines = `${target}.ndjson`
  const longest = actions.reduce((max, line) => Math.max(max, line.length), 0)
  const columns = Object.entries(COLUMNS)
    .map(([name, type]) => `${identifier(name)}: ${literal(type)}`)
    .join(', ')
  try {
    await writeFile(lines, actions.join('\n'))
    await connection.run(
      `COPY (SELECT * FROM read_json(${literal(lines)}, format = 'newline_delimited',
         maximum_object_size = ${Math.max(1_048_576, longest * 4)}, columns = {${columns}}))
       TO ${literal(target)} (FORMAT parquet, COMPRESSION snappy)`
    )
    await syncFile(target)
    return (await stat(target)).size
  } finally {
    await rm(lines, { force: true })
  }
}
