/** Changes the columns that a table is clustered by (PROTOCOL.md "Clustered Table"). */
import { DeltaError } from '../../core/index.ts'
import type { MetadataAction, ProtocolAction } from '../actions.ts'
import {
  boundedFields,
  CLUSTERING_DOMAIN,
  CLUSTERING_FEATURE,
  clusteringDomain,
  clusteringPaths,
  hasBounds
} from '../clustering/columns.ts'
import type { Snapshot } from '../log-state.ts'
import { protocolWith } from '../protocol/versions.ts'
import type { SchemaField } from '../schema.ts'
import type { TableLog } from '../table-log.ts'

/**
 * `columns` null or empty: by nothing any more; files stay as they are. Rejects with
 * `DELTA_CLUSTERING_INVALID` when the table has partitions, when a column cannot be clustered by, or when
 * files lack its bounds.
 */
export async function setClustering(
  log: TableLog,
  columns: readonly string[] | null
): Promise<void> {
  for (let conflicts = 0; ; ) {
    const snapshot = await log.refresh()
    log.assertWritable(snapshot)
    const fields = checkedClustering(snapshot, columns ?? [], log.where)
    const domain = clusteringDomain(fields)
    const before = snapshot.domains.get(CLUSTERING_DOMAIN)
    if (before?.configuration === domain.configuration) return
    if (before === undefined && fields.length === 0) return
    assertBounds(log, snapshot, fields)
    const protocol = protocolWith(snapshot.protocol, [CLUSTERING_FEATURE])
    const response = await log.commit(
      snapshot,
      {
        operation: 'CLUSTER BY',
        operationParameters: {
          oldClusteringColumns: clusteringPaths(snapshot, log.where)
            .map(path => path.join('.'))
            .join(','),
          newClusteringColumns: fields.map(field => field.name).join(',')
        }
      },
      [...(protocol === snapshot.protocol ? [] : [{ protocol }]), { domainMetadata: domain }]
    )
    if (response.kind === 'committed') return
    conflicts++
    await log.pause(conflicts)
  }
}

/** The columns of a table that is, or is to be, clustered. */
export function checkedClustering(
  table: {
    readonly fields: readonly SchemaField[]
    readonly metadata: MetadataAction
    readonly protocol: ProtocolAction
  },
  columns: readonly string[],
  where: string
): SchemaField[] {
  const { partitionColumns } = table.metadata
  if (columns.length > 0 && partitionColumns.length > 0) {
    throw new DeltaError(
      'DELTA_CLUSTERING_INVALID',
      `${where} cannot be clustered: it is partitioned by ${partitionColumns.join(', ')}`
    )
  }
  return boundedFields(table, columns, 'cluster', where)
}

/** A table promises bounds of its clustering columns in every file. */
function assertBounds(log: TableLog, snapshot: Snapshot, fields: readonly SchemaField[]): void {
  for (const field of fields) {
    const lacking = [...snapshot.files.values()].filter(add => !hasBounds(add, field))
    if (lacking.length === 0) continue
    throw new DeltaError(
      'DELTA_CLUSTERING_INVALID',
      `${log.where} cannot be clustered by ${field.name}: ${lacking.length} of its files have no bounds of it, ` +
        `such as ${lacking[0]?.path}. Z-order the table by ${field.name} first, which writes them`
    )
  }
}
