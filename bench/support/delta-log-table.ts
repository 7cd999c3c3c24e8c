/** Makes logs of a given length for bench/delta-log.ts; no data file is there, none is read. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface LogShape {
  /** The newest version. */
  readonly commits: number
  /** Files of the table from version 1 on; each later commit replaces one. */
  readonly files: number
}

const COLUMNS = ['media_id', 'project_id', 'file_type', 'file_name', 'media_comment']
const START = 1_760_000_000_000

const schemaString = JSON.stringify({
  type: 'struct',
  fields: COLUMNS.map(name => ({ name, type: 'string', nullable: true, metadata: {} }))
})

/** Writes the commits from `from` to the newest one of the shape. */
export function writeCommits(table: string, { commits, files }: LogShape, from = 0): void {
  const log = join(table, '_delta_log')
  mkdirSync(log, { recursive: true })
  for (let version = from; version <= commits; version++) {
    const actions =
      version === 0 ? created() : version === 1 ? filled(files) : replaced(version, files)
    const text = actions.map(action => `${JSON.stringify(action)}\n`).join('')
    writeFileSync(join(log, `${String(version).padStart(20, '0')}.json`), text)
  }
}

function created(): object[] {
  return [
    { commitInfo: { timestamp: START, operation: 'CREATE TABLE' } },
    { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
    {
      metaData: {
        id: '5fba94ed-9794-4965-ba6e-6ee3c0d22af9',
        format: { provider: 'parquet', options: {} },
        schemaString,
        partitionColumns: [],
        configuration: {},
        createdTime: START
      }
    }
  ]
}

function filled(files: number): object[] {
  const adds = Array.from({ length: files }, (_, file) => ({ add: add(file, 1) }))
  return [{ commitInfo: { timestamp: START + 1000, operation: 'WRITE' } }, ...adds]
}

function replaced(version: number, files: number): object[] {
  const timestamp = START + version * 1000
  const old = version - 2
  const remove = {
    path: pathOf(old),
    deletionTimestamp: timestamp,
    dataChange: true,
    extendedFileMetadata: true,
    partitionValues: {},
    size: 100_000
  }
  return [
    { commitInfo: { timestamp, operation: 'MERGE', txnId: `${version}`, engineInfo: 'bench' } },
    { add: add(old + files, version) },
    { remove }
  ]
}

function pathOf(file: number): string {
  return `part-${String(file).padStart(8, '0')}-4a5b6c7d-8e9f-4a0b-8c1d-2e3f4a5b6c7d.snappy.parquet`
}

function add(file: number, version: number): object {
  const bounds = (text: string): object =>
    Object.fromEntries(COLUMNS.map(name => [name, `${name} ${text} ${file}`]))
  const stats = JSON.stringify({
    numRecords: 1000,
    minValues: bounds('a'),
    maxValues: bounds('z'),
    nullCount: Object.fromEntries(COLUMNS.map(name => [name, 0]))
  })
  const modificationTime = START + version * 1000
  return {
    path: pathOf(file),
    partitionValues: {},
    size: 100_000,
    modificationTime,
    dataChange: true,
    stats
  }
}
