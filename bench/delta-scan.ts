/**
 * Filters on columns that a table is clustered by, read through `DeltaTable` and, in turn, by DuckDB's
 * `read_parquet` on the same files with the same filter, as plainly as anybody would write it. Both give
 * the rows as JavaScript objects, from one thread.
 * `npm run bench -- delta-scan [--rows 5000000] [--file-mib 16] [--rounds 15]`
 */
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { DeltaTable } from '../src/delta/index.ts'
import { openTestDelta } from '../test/helpers/delta.ts'
import { mediaColumns, mediaRowsSql, rowsOfFile } from './support/media-rows.ts'
import { spread, spreadOf } from './support/spread.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '5000000' },
    'file-mib': { type: 'string', default: '16' },
    rounds: { type: 'string', default: '15' }
  }
})
const rows = Number(values.rows)
const BATCH = 100_000
const selected = ['media_id', 'project_id', 'file_name', 'bytes'] as const

await using delta = await openTestDelta()
const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '256MB' })
const connection = await instance.connect()
await connection.run("SET TimeZone = 'UTC'")

const table = await DeltaTable.openOrCreate(
  'media',
  { columns: mediaColumns, clusterBy: ['project_id', 'bytes'] },
  delta.ports,
  delta.options
)
for (let from = 0; from < rows; from += BATCH) {
  const file = `${delta.root}/batch.parquet`
  const numbers = `SELECT unnest(range(${from}, ${Math.min(rows, from + BATCH)})) AS i`
  await connection.run(
    `COPY (${mediaRowsSql('random', numbers, 'note ')}) TO '${file}' (FORMAT parquet)`
  )
  await table.append((await rowsOfFile(connection, file)) as never)
}
const clusteredAt = performance.now()
await table.optimize({ targetFileBytes: Number(values['file-mib']) * 1_048_576 })
const clusterSeconds = (performance.now() - clusteredAt) / 1000
const files = [...(await table.snapshot()).files.values()]
const paths = files.map(file => `'${delta.root}/tables/media/${decodeURIComponent(file.path)}'`)

const middle = 700_000 + (rows >> 5)
const filters = {
  'one project': `project_id = '${middle}'`,
  '1 % of the projects': `project_id BETWEEN '${middle}' AND '${middle + Math.round(rows / 1600)}'`,
  '1 % of the sizes': 'bytes BETWEEN 2000000 AND 2050000',
  'a tenth of both': `project_id BETWEEN '${middle}' AND '${middle + Math.round(rows / 160)}' AND bytes BETWEEN 2000000 AND 2500000`,
  'all, by another column': "media_comment = 'note 3, side 500'"
}

async function bare(where: string): Promise<Record<string, unknown>[]> {
  const reader = await connection.runAndReadAll(
    `SELECT ${selected.join(', ')} FROM read_parquet([${paths.join(', ')}]) WHERE ${where}`
  )
  return reader
    .getRowObjects()
    .map(row => ({ ...row, bytes: row['bytes'] === null ? null : Number(row['bytes']) }))
}
const ours = (where: string) => table.read({ where, columns: selected as never })
const opened = async (where: string) => {
  const fresh = await DeltaTable.open('media', delta.ports, delta.options)
  const found = await fresh.read({ where, columns: selected as never })
  await fresh.close()
  return found
}
const sorted = (list: readonly object[]): string[] => list.map(row => JSON.stringify(row)).sort()

console.log(
  `${rows} rows in ${files.length} files, clustered in ${clusterSeconds.toFixed(1)} s by project_id and bytes`
)
for (const [name, where] of Object.entries(filters)) {
  const expected = await bare(where)
  if (!isDeepStrictEqual(sorted(await ours(where)), sorted(expected))) {
    throw new Error(`${name}: the rows differ`)
  }
  const times = { ours: [] as number[], opened: [] as number[], bare: [] as number[] }
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [way, read] of [
      ['ours', ours],
      ['bare', bare],
      ['opened', opened]
    ] as const) {
      const started = performance.now()
      await read(where)
      times[way].push(performance.now() - started)
    }
  }
  const ratio = spreadOf(times.bare).medianMs / spreadOf(times.ours).medianMs
  console.log(
    `${name}: ${expected.length} rows; DeltaTable ${spread(spreadOf(times.ours))}, opened anew ${spread(spreadOf(times.opened))}, ` +
      `read_parquet ${spread(spreadOf(times.bare))}; ${ratio.toFixed(2)} times as fast`
  )
}
await table.close()
connection.closeSync()
instance.closeSync()
