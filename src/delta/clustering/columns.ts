/**
 * The columns that a table is clustered by (PROTOCOL.md "Clustered Table"): kept in the metadata domain
 * `delta.clustering` by physical name. Bounds of them are always written, since they are what clustering
 * is for.
 */
import { DeltaError } from '../../core/index.ts'
import type { AddAction, DomainMetadataAction, MetadataAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import type { Snapshot } from '../log-state.ts'
import { decimalOf, physicalName, type SchemaField } from '../schema.ts'
import { type StatisticsColumns, statisticsColumns } from '../table-properties.ts'

export const CLUSTERING_DOMAIN = 'delta.clustering'
export const CLUSTERING_FEATURE = 'clustering'

const MOST_CLUSTERING_COLUMNS = 4
const MOST_Z_ORDER_COLUMNS = 8
/** Types whose bounds are written. */
const BOUNDED =
  /^(string|long|integer|short|byte|float|double|date|timestamp|timestamp_ntz|decimal\(.*)$/

/** Paths of physical names; empty when the table is not clustered, or by nothing any more. */
export function clusteringPaths(snapshot: Pick<Snapshot, 'domains'>, where: string): string[][] {
  const domain = snapshot.domains.get(CLUSTERING_DOMAIN)
  if (domain === undefined) return []
  try {
    const { clusteringColumns } = JSON.parse(domain.configuration) as {
      clusteringColumns: (string | string[])[]
    }
    return clusteringColumns.map(column => (typeof column === 'string' ? [column] : column))
  } catch (error) {
    throw new DeltaError(
      'DELTA_LOG_CORRUPT',
      `The metadata domain ${CLUSTERING_DOMAIN} of ${where} does not name columns`,
      { cause: error }
    )
  }
}

/**
 * The fields that the table is clustered by. Rejects with `DELTA_UNSUPPORTED` when one of them is a
 * field of a struct.
 */
export function clusteringFields(snapshot: Snapshot, where: string): SchemaField[] {
  return clusteringPaths(snapshot, where).map(path => {
    const [name] = path
    const field = snapshot.fields.find(one => physicalName(one) === name)
    if (field !== undefined && path.length === 1) return field
    throw new DeltaError(
      'DELTA_UNSUPPORTED',
      `${where} is clustered by ${path.join('.')}; only whole columns can be clustered by here`
    )
  })
}

export function clusteringDomain(fields: readonly SchemaField[]): DomainMetadataAction {
  const clusteringColumns = fields.map(field => [physicalName(field)])
  return {
    domain: CLUSTERING_DOMAIN,
    configuration: JSON.stringify({ clusteringColumns }),
    removed: false
  }
}

/**
 * Checks the names of columns to cluster or Z-order by. Rejects with `DELTA_CLUSTERING_INVALID` those
 * that are unknown, given twice, partition columns, or of a type without bounds.
 */
export function boundedFields(
  table: { readonly fields: readonly SchemaField[]; readonly metadata: MetadataAction },
  names: readonly string[],
  purpose: 'cluster' | 'Z-order',
  where: string
): SchemaField[] {
  const refused = (why: string): DeltaError =>
    new DeltaError('DELTA_CLUSTERING_INVALID', `${where} cannot be ${purpose}ed: ${why}`)
  const most = purpose === 'cluster' ? MOST_CLUSTERING_COLUMNS : MOST_Z_ORDER_COLUMNS
  if (names.length > most) throw refused(`at most ${most} columns can be given`)
  if (new Set(names).size < names.length) throw refused('a column is given twice')
  return names.map(name => {
    const field = table.fields.find(one => one.name === name)
    if (field === undefined) throw refused(`there is no column ${name}`)
    if (table.metadata.partitionColumns.includes(name)) {
      throw refused(`${name} is a partition column, whose values are apart already`)
    }
    if (typeof field.type === 'string' && BOUNDED.test(field.type)) return field
    throw refused(`no bounds are kept of ${name}, so that nothing would come of it`)
  })
}

/** Which columns get statistics: those that the properties say, and always those clustered by. */
export function statisticsOf(
  snapshot: Snapshot,
  also: readonly SchemaField[] = []
): StatisticsColumns {
  const wanted = statisticsColumns(snapshot.metadata)
  const clustered = clusteringPaths(snapshot, 'the table')
  const always = [
    ...clustered.map(path => logicalPath(snapshot, path)),
    ...also.map(field => [field.name.toLowerCase()])
  ]
  return always.length === 0 ? wanted : { ...wanted, always }
}

/** In lower case. */
function logicalPath(snapshot: Snapshot, path: readonly string[]): string[] {
  let fields: readonly SchemaField[] = snapshot.fields
  return path.map(name => {
    const field = fields.find(one => physicalName(one) === name)
    const type = field?.type
    fields = typeof type === 'object' && type.type === 'struct' ? type.fields : []
    return (field?.name ?? name).toLowerCase()
  })
}

/** Whether the file's statistics bound the column, or say that it holds nothing. */
export function hasBounds(add: AddAction, field: SchemaField): boolean {
  const { numRecords, nullCount, minValues, maxValues } = statsOf(add)
  const name = physicalName(field)
  if (numRecords !== undefined && Number(nullCount?.[name]) === Number(numRecords)) return true
  if (minValues?.[name] !== undefined && maxValues?.[name] !== undefined) return true
  // A NaN, or a text that no prefix of which bounds it, is counted and has no bounds.
  return nullCount?.[name] !== undefined && hasUnboundedValues(field)
}

function hasUnboundedValues({ type }: SchemaField): boolean {
  return type === 'double' || type === 'float' || type === 'string' || decimalOf(type) !== undefined
}
