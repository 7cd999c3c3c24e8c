/** Copies files into new ones whose rows are clustered, and tells where each row went. */
import type { AddAction } from '../actions.ts'
import { type NewFiles, storeFiles } from '../file-writer.ts'
import { withFiles } from '../leased-files.ts'
import type { Snapshot } from '../log-state.ts'
import type { Rewrite } from '../operations/rewrite.ts'
import type { EngineColumn } from '../parquet-engine.ts'
import type { SchemaField } from '../schema.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import { withCube } from './tags.ts'

export interface ClusterOptions {
  readonly by: readonly SchemaField[]
  readonly targetFileBytes: number
  /** Whether the table is a clustered one. */
  readonly provider: boolean
}

/** The files must be of one partition. */
export async function writeClustered(
  log: TableLog,
  base: Snapshot,
  inputs: readonly AddAction[],
  { by, targetFileBytes, provider }: ClusterOptions
): Promise<Rewrite> {
  const [{ partitionValues } = { partitionValues: {} }] = inputs
  const columns = columnsOf(base, by)
  const { engine, ids } = log.ports
  const written = await withFiles(log, inputs, files =>
    storeFiles(log, base, { partitionValues, statistics: by }, (target: NewFiles) =>
      engine.cluster({ ...target, files, by: columns, targetFileBytes })
    )
  )
  const cube = { id: ids.uuid(), columns: by.map(field => field.name) }
  return {
    base,
    inputs,
    outputs: written.map(add => withCube(add, cube, provider)),
    ranks: async (input, positions) => {
      const places = Array.from(positions, position => ({ file: input, position }))
      const ranks = await withFiles(log, inputs, files =>
        engine.clusterRanks({ files, by: columns, places })
      )
      return ranks.some(rank => rank < 0) ? new Uint32Array(0) : Uint32Array.from(ranks)
    }
  }
}

function columnsOf(snapshot: Snapshot, fields: readonly SchemaField[]): EngineColumn[] {
  const columns = engineColumns(snapshot)
  return fields.flatMap(field => columns.find(column => column.name === field.name) ?? [])
}
