/** Commits version 0 of a table. Of several that do one wins, and the others find its table there. */
import type { CommitInfoAction } from '../actions.ts'
import { commitVersion } from '../committer.ts'
import { assertEvaluable, definitionOf, type TableSpec } from '../definition.ts'
import { hasInCommitTimestamps } from '../log/in-commit-timestamps.ts'
import type { DeltaPorts } from '../ports.ts'

/** Rejects as `definitionOf` does. */
export async function createTable(path: string, spec: TableSpec, ports: DeltaPorts): Promise<void> {
  const where = `${ports.store.root}/${path}`
  const { domainMetadata, ...definition } = definitionOf(spec, ports, where)
  await assertEvaluable(definition, ports, where)
  const { protocol, metaData } = definition
  const now = ports.clock.now()
  const commitInfo: CommitInfoAction = {
    ...(hasInCommitTimestamps(metaData) ? { inCommitTimestamp: Math.floor(now) } : {}),
    timestamp: now,
    operation: 'CREATE TABLE',
    operationParameters: {
      partitionBy: JSON.stringify(spec.partitionBy ?? []),
      ...(spec.clusterBy === undefined ? {} : { clusterBy: JSON.stringify(spec.clusterBy) })
    },
    operationMetrics: {},
    isBlindAppend: true,
    engineInfo: 'claims-pipeline',
    txnId: ports.ids.uuid()
  }
  const domains = domainMetadata === undefined ? [] : [{ domainMetadata }]
  const actions = [{ commitInfo }, { protocol }, { metaData }, ...domains]
  await commitVersion(ports, path, 0, actions)
}
