/**
 * What generated tables are created with. `blind` names judges that cannot read such a table by limits of
 * their own (../shared/field-notes.md section 2.5); they are left out for exactly that and counted.
 */
import type { JudgeName } from '../../helpers/judges.ts'

export interface Feature {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly blind?: readonly JudgeName[]
  /** Rows are only added. */
  readonly appendOnly?: boolean
  /** Features that these exclude. */
  readonly not?: readonly string[]
}

export const FEATURES: readonly Feature[] = [
  { name: 'deletionVectors', properties: { 'delta.enableDeletionVectors': 'true' } },
  {
    name: 'columnMapping name',
    properties: { 'delta.columnMapping.mode': 'name' },
    not: ['columnMapping id']
  },
  {
    name: 'columnMapping id',
    properties: { 'delta.columnMapping.mode': 'id' },
    not: ['columnMapping name']
  },
  { name: 'v2Checkpoint', properties: { 'delta.checkpointPolicy': 'v2' } },
  { name: 'inCommitTimestamp', properties: { 'delta.enableInCommitTimestamps': 'true' } },
  { name: 'changeDataFeed', properties: { 'delta.enableChangeDataFeed': 'true' } },
  { name: 'rowTracking', properties: { 'delta.enableRowTracking': 'true' } },
  { name: 'appendOnly', properties: { 'delta.appendOnly': 'true' }, appendOnly: true },
  {
    name: 'vacuumProtocolCheck',
    properties: { 'delta.feature.vacuumProtocolCheck': 'supported' },
    blind: ['deltalake']
  },
  {
    name: 'typeWidening',
    properties: { 'delta.enableTypeWidening': 'true' },
    blind: ['deltalake']
  },
  { name: 'domainMetadata', properties: { 'delta.feature.domainMetadata': 'supported' } },
  { name: 'gzip', properties: { 'delta.parquet.compression.codec': 'gzip' }, not: ['zstd'] },
  { name: 'zstd', properties: { 'delta.parquet.compression.codec': 'zstd' } },
  { name: 'no statistics', properties: { 'delta.dataSkippingNumIndexedCols': '0' } },
  { name: 'few statistics', properties: { 'delta.dataSkippingNumIndexedCols': '2' } },
  { name: 'many checkpoints', properties: { 'delta.checkpointInterval': '2' } }
]
