/** Tables for tools, without a message log: by name below the tables path, or by the path of any table. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { type DeltaTables, openDeltaTables } from '../adapters/delta-tables/index.ts'
import { openDuckDb } from '../adapters/duckdb/index.ts'
import { openLocalFiles } from '../adapters/local-files/index.ts'
import { systemClock, systemIds } from '../adapters/system/index.ts'
import type { Config } from '../config/index.ts'
import { DeltaError } from '../core/index.ts'
import { claimxTables } from '../domains/claimx/index.ts'

const NAMED_TABLES = 20

export interface TableAccess {
  readonly tables: DeltaTables
  /** Directory that the names are below. */
  readonly root: string
}

/** Opens the tables below the configured path for `use`, and closes them whatever happens. */
export async function withTables<T>(
  config: Config,
  root: string,
  use: (access: TableAccess) => Promise<T>
): Promise<T> {
  const scratch = join(tmpdir(), `claims-pipeline-${systemIds().uuid()}`)
  const { memoryLimit, threads } = config.duckdb
  const engine = await openDuckDb({ memoryLimit, threads, temporaryDirectory: scratch })
  const store = openLocalFiles({ root })
  const ports = { clock: systemClock(), ids: systemIds(), store, engine }
  const tables = openDeltaTables({ scratchDirectory: scratch }, ports)
  try {
    return await use({ tables, root })
  } finally {
    await tables.close()
    await store.close()
    await engine.close()
  }
}

export interface TablePlace {
  readonly root: string
  readonly name: string
}

/**
 * Where the table is that a person means: a name below the tables path, or a directory that holds a
 * `_delta_log`. Rejects with `DELTA_TABLE_NOT_FOUND`.
 */
export function placeOfTable(config: Config, reference: string): TablePlace {
  const plainName = /^[\w.-]+$/.test(reference) && !reference.startsWith('.')
  if (plainName && isTable(join(config.tablesPath, reference))) {
    return { root: config.tablesPath, name: reference }
  }
  const path = resolve(reference)
  if (isTable(path)) return { root: dirname(path), name: basename(path) }
  throw new DeltaError('DELTA_TABLE_NOT_FOUND', whyNoTable(config, reference, plainName))
}

function whyNoTable(config: Config, reference: string, plainName: boolean): string {
  const path = resolve(reference)
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) return `${path} is a file; a Delta table is a directory.`
    const below = tablesIn(path)
    const hint = below.length === 0 ? '' : ` Tables in it: ${below.join(', ')}.`
    return `${path} is no Delta table: it has no folder _delta_log.${hint}`
  }
  if (!plainName) return `There is no Delta table at ${path}.`
  const known = tablesIn(config.tablesPath)
  const hint = known.length === 0 ? '' : ` Tables there: ${known.join(', ')}.`
  return `There is no Delta table "${reference}" in ${config.tablesPath}, nor at ${path}.${hint}`
}

/** Names of the tables of a directory: as many as a message can hold. */
function tablesIn(directory: string): string[] {
  const names = existsSync(directory) ? readdirSync(directory).sort() : []
  const tables = names.filter(name => isTable(join(directory, name)))
  return tables.length > NAMED_TABLES ? [...tables.slice(0, NAMED_TABLES), '…'] : tables
}

/** Key columns of a table of ours, whose values must occur once. */
export function mergeKeyOf(table: string): readonly string[] | undefined {
  return Object.values(claimxTables).find(item => item.name === table)?.mergeKey
}

function isTable(directory: string): boolean {
  const log = join(directory, '_delta_log')
  return existsSync(log) && statSync(log).isDirectory()
}
